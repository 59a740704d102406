"""The half of a connection that answers: in the order of the requests, until the last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from pennant_serving.fast.lane import FastLane
from pennant_serving.http.connections.limits import ConnectionLimits
from pennant_serving.http.connections.parsing import Parsing
from pennant_serving.http.connections.sharing import Choosing
from pennant_serving.http.connections.turns import Due, Turns
from pennant_serving.lifecycle.lifecycle import Lifecycle, Phase
from pennant_serving.sampling.sampling import Watch


class Answering(asyncio.Protocol):
    """What its `Reader`, an `Exchange`, a `Call` and a `Refusal` need of their connection."""

    lifecycle: Lifecycle
    lane: FastLane
    watch: Watch | None
    limits: ConnectionLimits
    choosing: Choosing | None = None
    """Whoever has a share of the requests taken."""
    transport: asyncio.Transport
    flow: FlowControl
    server: tuple[str, int | None] | None
    client: tuple[str, int] | None
    is_beyond: bool
    """There was no place left for it."""
    due: deque[Due]
    """Answers, in the order of their requests; `expect` adds one."""
    expect: Callable[[Due], None]
    _turns: Turns
    _reader: Parsing
    _is_lingering: bool
    _ends_at: float
    _idle_since: float

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._made_of = (config, server_state, app_state)
        self._server = server_state
        self._app = config.loaded_app
        self.loop = _loop or asyncio.get_running_loop()
        self._context = copy_context()

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        self._turns.go_on()

    def keeps(self, number: int, *, last: bool = False) -> bool:
        """Whether the connection goes on after the answer to this request, which begins now.

        When its time is over, what has begun to arrive is still answered.
        """
        reader = self._reader
        if last:
            reader.last = number
        elif reader.last is None and (
            self.is_beyond
            or self.lifecycle.phase is Phase.DRAINING
            or self.loop.time() >= self._ends_at
        ):
            reader.last = reader.number
        return number != reader.last

    def respond(self, number: int, head: bytes, body: bytes) -> None:
        """Send a whole response."""
        keeps = self.keeps(number)
        end = b"" if keeps else b"connection: close\r\n"
        self.transport.write(b"%scontent-length: %d\r\n%s\r\n%s" % (head, len(body), end, body))
        self._turns.end()
        if keeps:
            self._go_on()
        else:
            self.transport.close()

    def respond_last(self, response: bytes) -> None:
        """Send this, and nothing more."""
        if not self.transport.is_closing():
            self.transport.write(response)
        self.finished(is_last=True, is_arriving=True)

    def finished(self, *, is_last: bool, is_arriving: bool) -> None:
        """The first that was due has been answered; its request may be arriving still."""
        self._turns.end()
        if self.transport.is_closing():
            return
        if not is_last:
            self._go_on()
        elif is_arriving:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Close when the client has, or has had time to read its answer: a connection that is
        closed while more arrives on it is reset, and what was not read yet is lost."""
        self._reader.stop()
        self._is_lingering, self._idle_since = True, self.loop.time()
        self.transport.write_eof()

    def _go_on(self) -> None:
        """With what has arrived meanwhile."""
        if self._turns.due:
            self._turns.go_on()
        else:
            self._idle_since = self.loop.time()
            if not self._ends_at:
                self.shutdown()

    def run(self, answer: Callable[[Any], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """The application's answer, for which the server waits at its end."""
        # Nothing of the request before it, whose task may be what calls this.
        own = self._context.copy()
        task, tasks = self.loop.create_task(answer(self._app), context=own), self._server.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    def shutdown(self) -> None:
        """Close now, or with the response to what is arriving or being answered."""
        self._ends_at = 0.0
        if not self._turns.due and not self._reader.is_receiving:
            self.transport.close()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """That every response carries."""
        return self._server.default_headers
