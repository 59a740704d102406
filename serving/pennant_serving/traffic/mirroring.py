"""Copies of requests for a challenger, whose answers are compared with ours.

They are made once the client has its answer, of what is in memory anyway, and nobody waits for
them: where too many do already, they are dropped.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pennant_serving.http.remembering import LENGTH, Passing, number_in
from pennant_serving.metrics.telemetry import route_of
from pennant_serving.recent.sample import BODY_LIMIT_BYTES, OWN
from pennant_serving.recent.taking import ROUTES
from pennant_serving.traffic.choosing import MIRRORED, Headers
from pennant_serving.traffic.comparing import Comparison, steps
from pennant_serving.traffic.counting import DROPPED, FAILED, Tallies
from pennant_serving.traffic.forwarding import request_head
from pennant_serving.traffic.reply import Unanswered
from pennant_serving.traffic.shares import Mirror
from pennant_serving.traffic.upstream import Upstream

AT_ONCE = 4
WAITING_LIMIT = 256
WAITING_LIMIT_BYTES = 4 * 1024 * 1024
"""Of requests and answers that wait for the challenger, in one process."""
ANSWER_LIMIT_BYTES = 4 * BODY_LIMIT_BYTES
"""Of the challenger's answer to one of ours that is not longer than BODY_LIMIT_BYTES."""


@dataclass(frozen=True)
class Copied:
    """A request, and what we answered."""

    scope: Mapping[str, Any]
    protocol: str
    body: bytes
    answer: bytes
    answer_head_bytes: int
    seconds: float

    @property
    def size(self) -> int:
        """Bytes of what it holds."""
        return len(self.body) + len(self.answer)


class Mirroring:
    """To one challenger, for as long as its share stays as it is."""

    def __init__(
        self, share: Mirror, upstream: Upstream, app: ASGIApp, tallies: Tallies, seconds: float
    ) -> None:
        """`seconds` are what the challenger may take for an answer."""
        self._to = str(share.to)
        self._upstream = upstream
        self._app = app
        self._tallies = tallies
        self._seconds = seconds
        self._waiting: deque[Copied] = deque()
        self._size = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passing = Passing(receive, send)
        await self._app(scope, passing.receive, passing.send)
        if 200 <= passing.status < 300 and passing.is_whole:
            self._take(_copied(scope, passing))

    def copy(
        self,
        target: bytes,
        headers: Headers,
        protocol: str,
        body: bytes,
        answer: bytes,
        seconds: float,
    ) -> None:
        """One that took the short way, which is for JSON and has no query."""
        scope = {"method": "POST", "raw_path": target, "query_string": b"", "headers": headers}
        kind, _ = ROUTES[protocol]
        copied = Copied(scope, kind, body, answer, -1, seconds)
        self._take(copied if len(answer) <= BODY_LIMIT_BYTES else None)

    def _take(self, copied: Copied | None) -> None:
        if copied is None or self._is_full(copied.size):
            self._tallies.copied(self._to, DROPPED)
            return
        self._waiting.append(copied)
        self._size += copied.size
        if len(self.tasks) < AT_ONCE:
            task = asyncio.get_running_loop().create_task(self._work())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _is_full(self, more: int) -> bool:
        return len(self._waiting) >= WAITING_LIMIT or self._size + more > WAITING_LIMIT_BYTES

    async def _work(self) -> None:
        while self._waiting:
            copied = self._waiting.popleft()
            try:
                if self._upstream.is_closed:  # its share is over
                    self._tallies.copied(self._to, DROPPED)
                else:
                    await self._compare(copied)
            except (Unanswered, TimeoutError):
                self._tallies.copied(self._to, FAILED)
            finally:
                self._size -= copied.size

    async def _compare(self, copied: Copied) -> None:
        more = (MIRRORED, b"true")
        head = request_head(copied.scope, self._to, len(copied.body), (more,))
        began = time.perf_counter()
        async with asyncio.timeout(self._seconds), self._upstream.asked(head, copied.body) as reply:
            if not 200 <= reply.status < 300:
                raise Unanswered(f"it answered {reply.status}")
            body = await reply.whole(ANSWER_LIMIT_BYTES)
            head_bytes = number_in(reply.headers, LENGTH)
        seconds = time.perf_counter() - began
        theirs = body, head_bytes
        own = copied.answer, copied.answer_head_bytes
        pair = await _compared(steps(copied.protocol, own, theirs))
        self._tallies.compared(self._to, pair, copied.seconds, seconds)


async def _compared(comparing: Generator[None, None, Comparison]) -> Comparison:
    """Let requests have their turn between the steps."""
    while True:
        try:
            next(comparing)
        except StopIteration as end:
            comparison: Comparison = end.value
            return comparison
        await asyncio.sleep(0)


def _copied(scope: Scope, passing: Passing) -> Copied | None:
    """None of what is too long to be kept."""
    if passing.is_long or len(passing.answer) > BODY_LIMIT_BYTES:
        return None
    _, protocol = route_of(scope)
    names = ("method", "raw_path", "query_string", "headers")
    return Copied(
        scope={each: scope[each] for each in names},
        protocol=ROUTES[protocol][0] if protocol in ROUTES else OWN,
        body=passing.body,
        answer=passing.answer,
        answer_head_bytes=passing.answer_head_bytes,
        seconds=passing.seconds,
    )
