"""A request handed over: the candidate answers, or else this pod.

Nothing of an answer is passed on before it is known to be one: where the head says how long it is,
all of it has arrived. So whatever becomes of the candidate meanwhile, the client gets an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pennant_serving.accesslog import HEADER, request_id
from pennant_serving.admission import BODY_LIMIT_BYTES, Admission, Reservation, check_size
from pennant_serving.errors import ServingError
from pennant_serving.http.connections.sharing import FOREIGN
from pennant_serving.http.endpoints.body import declared_length
from pennant_serving.metrics.last_answers import FAILED, REFUSED, SUCCEEDED
from pennant_serving.metrics.telemetry import ENDED, Telemetry
from pennant_serving.traffic.choosing import HANDED_OVER
from pennant_serving.traffic.counting import Tallies
from pennant_serving.traffic.forwarding import end_to_end, request_head
from pennant_serving.traffic.reply import NO_BODY, Reply, Unanswered
from pennant_serving.traffic.shares import HandOver
from pennant_serving.traffic.upstream import Upstream


@dataclass(frozen=True)
class Handing:
    """To one candidate, for as long as its share stays as it is."""

    share: HandOver
    upstream: Upstream
    app: ASGIApp
    """That answers what the candidate does not."""
    admission: Admission
    telemetry: Telemetry
    tallies: Tallies
    seconds: float
    """That the candidate may take."""
    waiting: Admission = field(default_factory=Admission)
    """Answers that have not arrived whole yet: they take no room of requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        arrived = _Arrived(receive)
        with self.admission.reserve() as reservation:
            try:
                answered = await self._answered(scope, arrived, reservation, send, began)
            except asyncio.CancelledError:
                if ENDED not in scope:
                    raise
                self._log(scope, request_id(scope["headers"]), scope[ENDED] or 200, began)
                return  # nobody is there to be told
        if not answered:
            await self._fall_back(scope, arrived, send, time.perf_counter() - began)

    async def _answered(
        self, scope: Scope, arrived: _Arrived, reservation: Reservation, send: Send, began: float
    ) -> bool:
        """Whether the candidate did. Nothing has been sent where it did not."""
        if not await arrived.is_whole(declared_length(scope), reservation):
            return False
        tag = request_id(scope["headers"]) if self.telemetry.access_log else b""
        head = request_head(scope, str(self.share.to), len(arrived.body), self._more(tag))
        passing = _PassingOn(send, tag)
        try:
            async with asyncio.timeout(self.seconds) as limit:
                async with self.upstream.asked(head, arrived.body) as reply:
                    if not 200 <= reply.status < 300:
                        return False
                    with self.waiting.reserve() as room:
                        await passing.on(reply, limit, room)
        except (Unanswered, TimeoutError):
            if passing.has_begun:
                raise ConnectionError("the candidate's answer broke off") from None
            return False
        seconds = time.perf_counter() - began
        self.tallies.handed_over(self.share.revision, SUCCEEDED, seconds, answered=True)
        self._log(scope, tag, reply.status, began)
        return True

    async def _fall_back(self, scope: Scope, arrived: _Arrived, send: Send, seconds: float) -> None:
        """Answer here. Only where that succeeds was it the candidate's fault."""
        outcome = REFUSED

        async def watched(message: Message) -> None:
            nonlocal outcome
            if message["type"] == "http.response.start" and 200 <= message["status"] < 300:
                outcome = FAILED
            await send(message)

        try:
            await self.app(scope, arrived.receive, watched)
        finally:
            self.tallies.handed_over(self.share.revision, outcome, seconds, answered=False)

    def _more(self, tag: bytes) -> Sequence[tuple[bytes, bytes]]:
        handed = (HANDED_OVER, self.share.revision.encode())
        return (handed, (HEADER, tag)) if tag else (handed,)

    def _log(self, scope: Scope, tag: bytes, code: int, began: float) -> None:
        log = self.telemetry.access_log
        if log is not None:
            seconds, by = time.perf_counter() - began, self.share
            more = {"version": by.version, "handed_over": by.revision}
            log.write(tag, scope["method"], scope["path"], code, seconds, **more)


class _Arrived:
    """The body of a request, which can be read once more."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self.body = b""

    async def is_whole(self, declared: int, reservation: Reservation) -> bool:
        """Read it, unless it may not be held, or the client leaves."""
        try:
            check_size(declared)
            while True:
                message = await self._receive()
                self._messages.append(message)
                if message["type"] != "http.request":
                    return False
                reservation.grow(reservation.bytes + len(message.get("body", b"")))
                if not message.get("more_body", False):
                    break
        except ServingError:  # the application says so
            return False
        parts = [each.get("body", b"") for each in self._messages]
        self.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._messages = [{"type": "http.request", "body": self.body, "more_body": False}]
        return True

    async def receive(self) -> Message:
        """All of it, from the beginning, and what comes then."""
        return self._messages.pop(0) if self._messages else await self._receive()


class _PassingOn:
    """An answer on its way to the client, with the candidate's headers and none of ours."""

    def __init__(self, send: Send, tag: bytes) -> None:
        self._send = send
        self._tag = tag
        self.has_begun = False

    async def on(self, reply: Reply, limit: asyncio.Timeout, room: Reservation) -> None:
        """Whole, where its length is known; else, and where it is very long or there is no room
        for it, as it comes. Raises Unanswered."""
        if reply.length is not None and _is_held(room, reply.length):
            body = await reply.whole(BODY_LIMIT_BYTES)
            limit.reschedule(None)
            await self._start(reply)
            await self._send({"type": "http.response.body", "body": body})
            return
        limit.reschedule(None)
        await self._start(reply)
        async for part in reply.parts():
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({"type": "http.response.body"})

    async def _start(self, reply: Reply) -> None:
        self.has_begun = True
        without = [b"content-length"] if reply.status in NO_BODY else []
        headers = end_to_end(reply.headers, *without, *((HEADER,) if self._tag else ()))
        if self._tag:
            headers.append((HEADER, self._tag))
        start: dict[str, Any] = {"type": "http.response.start", "status": reply.status}
        await self._send(start | {"headers": headers, FOREIGN: True})


def _is_held(room: Reservation, length: int) -> bool:
    """Whether there is room for an answer of this length."""
    try:
        room.grow(length)
    except ServingError:
        room.release()
        return False
    return True
