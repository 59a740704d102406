"""HTTP as it is on the wire: a socket, and the bytes of requests."""

from __future__ import annotations

import json
import socket
from typing import Any

from pennant_testing.serving.serving_process import Serving


class Wire:
    """A socket that reads one response at a time."""

    def __init__(self, pod: Serving) -> None:
        self.socket = socket.create_connection(("127.0.0.1", pod.port), timeout=60)
        self._left = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> tuple[int, bytes, bytes]:
        """Status, head and body."""
        head, body = self._until(b"\r\n\r\n")
        lengths = [
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < length:
            body += self.socket.recv(65536)
        self._left = body[length:]
        return int(head.split()[1]), head.lower(), body[:length]

    def _until(self, end: bytes) -> tuple[bytes, bytes]:
        data = self._left
        while end not in data:
            more = self.socket.recv(65536)
            assert more, data
            data += more
        head, _, rest = data.partition(end)
        return head, rest

    def responses(self) -> list[tuple[int, bytes, bytes]]:
        """All that come before the server closes."""
        responses = []
        while not self.ended():
            responses.append(self.response())
        return responses

    def ended(self) -> bool:
        """Whether it closes now; waits for that, or for more."""
        self._left = self._left or self.socket.recv(65536)
        return not self._left


def request(body: Any, *, path: str = "/v2/models/iris/infer", more: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: pod\r\nContent-Length: {len(data)}\r\n{more}\r\n"
    return head.encode() + data


def infer(first: float = 1.0, **more: Any) -> dict[str, Any]:
    data = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [first, 2.0]}
    return {"inputs": [data], **more}


def summed(body: bytes) -> float:
    return float(json.loads(body)["outputs"][0]["data"][0])
