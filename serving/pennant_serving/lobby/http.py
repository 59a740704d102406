"""One HTTP request: its head is read and written anew, its body and its answer pass through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from http import HTTPStatus

from pennant_serving.errors import ServingError, content
from pennant_serving.http.connections.limits import HEAD_LIMIT_BYTES
from pennant_serving.lobby import heads
from pennant_serving.lobby.counts import Ending
from pennant_serving.lobby.relay import ClientGone, PodSilent, Relay

HEAD_SECONDS = 10.0
"""For a request's head to arrive."""


class HeadLate(ServingError):  # noqa: N818
    """The head did not arrive in time."""

    status = 408
    code = "BAD_REQUEST"


class HeadTooLong(ServingError):  # noqa: N818
    """The head is longer than a pod takes."""

    status = 431
    code = "BAD_REQUEST"


class HttpRelay(Relay):
    """Waits once its head is here; whatever follows the request is not read by the pod."""

    protocol = "http"
    _path = ""

    async def _ended(self) -> Ending:
        try:
            if not await self._read_head():
                return Ending.LEFT
        except ServingError as error:
            await self._refuse(error)
            return Ending.REFUSED
        return await super()._ended()

    async def _read_head(self) -> bool:
        """False when there is none, and the client has left. Raises HeadLate, HeadTooLong."""
        buffer = self._buffer
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                while not (end := heads.end_of_head(buffer.content)):
                    if len(buffer.content) > HEAD_LIMIT_BYTES:
                        raise HeadTooLong(f"more than {HEAD_LIMIT_BYTES} bytes of headers")
                    data = await self._loop.sock_recv(self._client, await buffer.space())
                    if not data:
                        return False
                    self.is_begun = True
                    buffer.add(data if buffer.content else data.lstrip(b"\r\n"))
        except TimeoutError:
            if not self.is_begun:
                return False
            raise HeadLate("the request did not arrive in time") from None
        except OSError:
            return False
        head = bytes(buffer.content[:end])
        self._path = heads.path_of(head)
        buffer.replace(heads.with_close(head) + buffer.content[end:])
        return True

    async def _first(self, pod: socket.socket) -> bytes:
        """The head of the answer, and what came with it. Raises PodSilent, ClientGone."""
        data = b""
        while True:
            while not (end := heads.end_of_head(data)):
                if len(data) > HEAD_LIMIT_BYTES:
                    raise PodSilent
                data += await self._more(pod)
            head, data = data[:end], data[end:]
            if not heads.is_interim(head):
                return heads.with_close(head) + data
            await self._pass(head)

    async def _refuse(self, error: ServingError) -> None:
        body = json.dumps(content(self._path, error.code, str(error))).encode()
        status = HTTPStatus(error.status)
        headers = {
            "content-type": "application/json",
            "content-length": len(body),
            "connection": "close",
            **(error.headers or {}),
        }
        lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
        with contextlib.suppress(ClientGone):
            await self._pass("\r\n".join([*lines, "", ""]).encode() + body)
