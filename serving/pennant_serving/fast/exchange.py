"""One request on its way through the fast lane, from its decoded body to its response."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from pennant_serving.accesslog import HEADER
from pennant_serving.batching import weight
from pennant_serving.batching.inputs import ARRAY
from pennant_serving.batching.timing import Times, with_times
from pennant_serving.batching.work import Work
from pennant_serving.errors import PredictFailed, ServingError
from pennant_serving.fast.lane import FastLane, Headers, Route
from pennant_serving.fast.requests import Asked
from pennant_serving.recent.taking import sample_of


class Connection(Protocol):
    """What an exchange needs of its connection."""

    @property
    def default_headers(self) -> Headers:
        """That every response carries."""

    def respond(self, number: int, head: bytes, body: bytes) -> None:
        """Send the response to the connection's request of this number."""


class Exchange:
    """Answered in its turn, as all that a connection owes its client."""

    __slots__ = (
        "_body", "_connection", "_id", "_lane", "_left", "_number", "_route", "_started",
        "_times", "logged_as", "work",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        lane: FastLane,
        route: Route,
        asked: Asked,
        started: float,
        number: int = 1,
    ) -> None:
        self._connection = connection
        self._lane = lane
        self._route = route
        self._id = asked.id
        self._started = started
        self._left = False
        self._number = number
        self.logged_as: tuple[bytes, str] | None = None
        """The request's id and path, when there is an access log."""
        self.work = Work(asked.array, len(asked.array), ARRAY, self._done, route.protocol)
        self._times: Times | None = None
        self._body = b""

    def remember(self, body: bytes) -> None:
        """Once it is answered, for a rehearsal."""
        self._body, self._times = body, Times()
        self.work = with_times(self.work, self._times)

    def start(self) -> None:
        """Wait for the model, or say that too many do."""
        try:
            self._lane.batcher.submit(self.work)
        except ServingError as full:
            # Not at once: the next one's turn would come within this one's.
            asyncio.get_running_loop().call_soon(self.work.fail, full)

    def leave(self, status: int) -> None:
        """Nobody waits for the answer any more; `status` is how the request counts."""
        self._left = True
        self._lane.batcher.abandon(self.work)
        seconds = self._seconds()
        self._lane.telemetry.observe(self._route.path, status, seconds, self._route.protocol)
        self._log(status, seconds)

    def _done(self, result: Any, error: ServingError | None) -> None:
        if error is not None:
            self._fail(error)
        elif weight.of_value(result) <= weight.MOMENT_VALUES:
            self._answer(self._encoded(result))
        else:
            writing = self._lane.codecs.start(self._encoded, result)
            writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[bytes | ServingError]) -> None:
        if not self._left and not writing.cancelled():
            self._answer(writing.result())

    def _encoded(self, result: Any) -> bytes | ServingError:
        try:
            return self._route.encode(result, self._id)
        except ServingError as raised:
            return raised
        except Exception as raised:  # noqa: BLE001 - batch mates must get their answers
            return PredictFailed(f"the prediction cannot be written: {raised}")

    def _answer(self, body: bytes | ServingError) -> None:
        if isinstance(body, ServingError):
            self._fail(body)
            return
        self._respond(self._lane.head(self._connection.default_headers), body)
        seconds = self._seconds()
        self._route.answered.observe(seconds)
        self._log(200, seconds)
        if self._times is not None and self._lane.recent is not None:
            protocol = self._route.protocol
            self._lane.recent.add(sample_of(protocol, self._body, body, self._times, seconds))

    def _fail(self, error: ServingError) -> None:
        self._respond(*self._lane.failed(self._route, error, self._connection.default_headers))
        route, seconds = self._route, self._seconds()
        self._lane.telemetry.observe(route.path, error.status, seconds, route.protocol)
        self._log(error.status, seconds)

    def _respond(self, head: bytes, body: bytes) -> None:
        if self.logged_as is not None:
            head += b"%s: %s\r\n" % (HEADER, self.logged_as[0])
        self._connection.respond(self._number, head, body)

    def _log(self, code: int, seconds: float) -> None:
        log = self._lane.telemetry.access_log
        if log is not None and self.logged_as is not None:
            log.write(self.logged_as[0], "POST", self.logged_as[1], code, seconds)

    def _seconds(self) -> float:
        return time.perf_counter() - self._started


class CopiedExchange(Exchange):
    """One whose answer somebody else is told, too, once it has been sent."""

    __slots__ = ("copy",)
    copy: Callable[[bytes, float], None]

    def _answer(self, body: bytes | ServingError) -> None:
        super()._answer(body)
        if not isinstance(body, ServingError):
            self.copy(body, self._seconds())
