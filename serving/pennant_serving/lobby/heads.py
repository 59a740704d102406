"""The heads of requests and answers, as they are passed on: every connection ends. Pure."""

from __future__ import annotations

END = b"\r\n\r\n"
HOP = {b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"http2-settings"}
"""Headers that are about a connection, and not about what is sent on it."""


def end_of_head(data: bytes | bytearray) -> int:
    """Where the head ends; 0 while it has not."""
    return data.find(END) + len(END) if END in data else 0


def with_close(head: bytes) -> bytes:
    """The same head, which asks for the end of its connection."""
    first, *lines = head.removesuffix(END).split(b"\r\n")
    passed, is_hop = [first], False
    for line in lines:
        if line[:1] not in (b" ", b"\t"):  # else it goes on with the one before
            is_hop = line.partition(b":")[0].strip().lower() in HOP
        if not is_hop:
            passed.append(line)
    return b"\r\n".join([*passed, b"connection: close", b"\r\n"])


def path_of(head: bytes) -> str:
    """The path that a request asks for; empty where it is none."""
    parts = head.partition(b"\r\n")[0].split(b" ")
    return parts[1].partition(b"?")[0].decode("latin-1") if len(parts) == 3 else ""


def is_interim(head: bytes) -> bool:
    """Whether the answer is still to come: `100 Continue` and its like."""
    return head.partition(b" ")[2][:1] == b"1"
