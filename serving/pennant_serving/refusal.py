"""Answers to requests that were not understood: the bytes of a whole response."""

from __future__ import annotations

from http import HTTPStatus

import orjson


def refusal(status: int, why: str, lines: bytes) -> bytes:
    """A response that ends its connection, with `lines` in its head."""
    body = orjson.dumps({"error": why})
    start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    end = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return start + lines + end % len(body) + body
