"""Replicas that want the Lease, on a network and with clocks as bad as they come.

Real Electors, simulated time. Requests are slow, get lost, arrive after their sender gave up, or
are carried out and never answered; processes stand still, die and come back; clocks run apart and
the time of day jumps. Every replica that may write writes all the time, and each of its writes
takes as long as it may.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pennant_operator.decide.lease import Timing
from pennant_operator.kube import ApiError, Object
from pennant_operator.run.lease.elector import Elector
from pennant_operator.run.lease.leadership import LostError

TIMING = Timing()
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = 1e9  # seconds


def now() -> float:
    """True time."""
    return asyncio.get_running_loop().time()


def _later(seconds: float, do: Callable[..., None], *words: Any) -> None:
    asyncio.get_running_loop().call_later(seconds, do, *words)


@dataclass(frozen=True)
class Phase:
    """What a replica's world is like for some seconds."""

    seconds: float
    there: float = 0.0
    """How long a request is on its way."""
    back: float = 0.0
    """How long its answer is."""
    stands: bool = False
    """The process does nothing; what it has sent arrives."""
    wall: float | None = 0.0
    """What its time of day is wrong by; None: it stands still."""


@dataclass
class Server:
    """The one Lease, and the writes that were done."""

    lease: Object | None = None
    version: int = 0
    writes: list[tuple[float, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def holder(self) -> str | None:
        return self.lease["spec"]["holderIdentity"] if self.lease else None

    def answer(self, future: asyncio.Future[Any], method: str, body: Any) -> None:
        """A request for the Lease arrives, whether or not anybody still waits."""
        try:
            answer: Any = self._handle(method, body)
        except ApiError as error:
            answer = error
        if not future.done():
            future.set_result(answer)

    def _handle(self, method: str, body: Any) -> Object | None:
        if method == "GET":
            return self.lease
        if method == "POST" and self.lease is not None:
            raise ApiError(409, "AlreadyExists", "there is one")
        if method == "PUT" and self.lease is None:
            raise ApiError(404, "NotFound", "there is none")
        meta = body["metadata"]
        if method == "PUT" and meta["resourceVersion"] != str(self.version):
            raise ApiError(409, "Conflict", "it has changed")
        if self.lease is None or self.lease["spec"] != body["spec"]:
            self.version += 1
        self.lease = body | {"metadata": meta | {"resourceVersion": str(self.version)}}
        return self.lease

    def write(self, who: str) -> None:
        """A write of some other object arrives."""
        if self.holder not in {who, None}:
            self.broken.append(f"law 9: {who} writes at {now()}, but {self.holder} leads")
        self.writes.append((now(), who))


class Replica:
    """One process after another, each with a candidate for the Lease in it."""

    def __init__(self, server: Server, name: str, phases: tuple[Phase, ...], rate: float) -> None:
        self.name = name
        self._server = server
        self._phases = phases
        self._rate = rate
        self._runs = asyncio.Event()
        self._runs.set()
        self._phase = Phase(NEVER)

    async def live(self) -> None:
        """Go through all phases, and on for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._restarted())
            for phase in (*self._phases, Phase(NEVER)):
                self._phase = phase
                if phase.stands:
                    self._runs.clear()
                else:
                    self._runs.set()
                await asyncio.sleep(phase.seconds)

    async def _restarted(self) -> None:
        for number in itertools.count():
            with contextlib.suppress(LostError):
                await self._once(f"{self.name}-{number}")
            await asyncio.sleep(1)

    async def _once(self, identity: str) -> None:
        elector = self.elector(identity)
        writes = asyncio.create_task(self._write(elector, identity))
        try:
            await elector.run()
        finally:
            writes.cancel()

    def elector(self, identity: str, head: str | None = None) -> Elector:
        return Elector(
            self,
            namespace="home",
            identity=identity,
            timing=TIMING,
            clock=lambda: 1000 + now() * self._rate,
            wall=self._wall,
            random=lambda: 0.5,
            head=lambda: head,
        )

    def _wall(self) -> datetime:
        wrong = self._phase.wall
        return EPOCH if wrong is None else EPOCH + timedelta(seconds=now() + wrong)

    async def _write(self, elector: Elector, who: str) -> None:
        while True:
            await self._runs.wait()
            seconds = elector.may_last()
            if seconds > 0:
                _later(seconds / self._rate * 0.999, self._server.write, who)
            await asyncio.sleep(0.5)

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return await self._ask("GET", None)

    async def request(self, method: str, path: str, query: None = None, body: Any = None) -> Object:
        answer = await self._ask(method, body)
        assert answer is not None
        return answer

    async def _ask(self, method: str, body: Any) -> Object | None:
        await self._runs.wait()
        # It arrives also when whoever sent it has given up.
        answer: asyncio.Future[Object | ApiError | None] = (
            asyncio.get_running_loop().create_future()
        )
        _later(self._phase.there, self._server.answer, answer, method, body)
        outcome = await answer
        await asyncio.sleep(self._phase.back)
        await self._runs.wait()
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome
