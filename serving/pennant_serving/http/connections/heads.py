"""What a request's head must say, and what of it is not heard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Headers = Iterable[tuple[bytes, bytes]]
HOST_LIMIT_BYTES = 512
"""Names have at most 255."""
HOST = re.compile(rb"(\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z._~%!$&'()*+;=-]*)(:[0-9]{0,5})?")
ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
"""A target as clients send it to proxies."""


def wrong_host(hosts: Sequence[bytes], target: bytes, version: str) -> str | None:
    """What is wrong with the Host headers of a request; None when nothing is.

    Whoever routes by the host must not see another one than we do (RFC 9112, section 3.2).
    """
    if len(hosts) != 1:
        if hosts:
            return "more than one Host header"
        return "no Host header" if version == "1.1" else None
    host = hosts[0]
    if len(host) > HOST_LIMIT_BYTES or not _is_host(host):
        return "the Host header is not a host"
    if target[:1] == b"/":
        return None
    absolute = ABSOLUTE.match(target)
    if absolute is not None and _plain(absolute[1]) != _plain(host):
        return "the Host header names another host than the target"
    return None


def expects(headers: Headers) -> bool:
    """Whether the client waits for a go-ahead before it sends the body."""
    return any(name == b"expect" and each.lower() == b"100-continue" for name, each in headers)


def without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """The same head, but for the wish to go on in another protocol."""
    lines = [b"%s %s HTTP/%s" % (method, target, version.encode())]
    lines += [b"%s: %s" % header for header in headers if header[0] != b"upgrade"]
    return b"\r\n".join([*lines, b"\r\n"])


@lru_cache(256)
def _is_host(value: bytes) -> bool:
    return HOST.fullmatch(value) is not None


def _plain(authority: bytes) -> bytes:
    return authority.lower().removesuffix(b":80")
