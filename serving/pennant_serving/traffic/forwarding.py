"""What is sent on of a request, and passed back of an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade".split()
)
"""Headers that are of one connection."""
Header = tuple[bytes, bytes]


def end_to_end(headers: Iterable[Header], *without: bytes) -> list[Header]:
    """The headers that go on; names are in lower case."""
    listed = [*headers]
    dropped = HOP_BY_HOP.union(without, *(_names(v) for n, v in listed if n == b"connection"))
    return [(name, value) for name, value in listed if name not in dropped]


def request_head(scope: Mapping[str, Any], host: str, length: int, more: Iterable[Header]) -> bytes:
    """The head of the same request to another server, of which all has arrived; `more` takes the
    place of headers of the same names."""
    added = [*more]
    names = [name for name, _ in added]
    headers = end_to_end(scope["headers"], b"content-length", b"expect", *names) + added
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", host.encode()))
    if length or scope["method"] != "GET":
        headers.append((b"content-length", b"%d" % length))
    target: bytes = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    lines = [b"%s %s HTTP/1.1" % (scope["method"].encode(), target)]
    return b"\r\n".join([*lines, *(b"%s: %s" % header for header in headers), b"\r\n"])


def _names(value: bytes) -> set[bytes]:
    return {each.strip().lower() for each in value.split(b",")}
