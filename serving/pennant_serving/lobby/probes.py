"""What the kubelet and Prometheus ask, on a port of its own: /livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from pennant_serving.lobby import heads
from pennant_serving.lobby.counts import LobbyCounts

ASK_SECONDS = 5.0
QUESTION_LIMIT_BYTES = 8192
TEXT = "text/plain; charset=utf-8"


async def answer(client: socket.socket, counts: LobbyCounts, is_ready: Callable[[], bool]) -> None:
    """Answer one question, and close."""
    loop = asyncio.get_running_loop()
    client.settimeout(0)
    with contextlib.closing(client), contextlib.suppress(OSError):
        async with asyncio.timeout(ASK_SECONDS):
            asked = b""
            while not heads.end_of_head(asked) and len(asked) < QUESTION_LIMIT_BYTES:
                data = await loop.sock_recv(client, QUESTION_LIMIT_BYTES)
                if not data:
                    return
                asked += data
            await loop.sock_sendall(
                client, _response(heads.path_of(asked), counts, is_ready=is_ready())
            )
            client.shutdown(socket.SHUT_WR)


def _response(path: str, counts: LobbyCounts, *, is_ready: bool) -> bytes:
    if path == "/metrics":
        return _written("200 OK", generate_latest(counts.registry), CONTENT_TYPE_PLAIN_0_0_4)
    if path == "/livez":
        return _written("200 OK", b"ok")
    if path == "/readyz":
        if is_ready:
            return _written("200 OK", b"ok")
        return _written("503 Service Unavailable", b"leaving")
    return _written("404 Not Found", b"ask /livez, /readyz or /metrics")


def _written(status: str, body: bytes, kind: str = TEXT) -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        f"content-type: {kind}",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body
