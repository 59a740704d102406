"""Keeps the answers of one registry fresh, and says which ModelDeployments they changed for.

Trouble changes no answer: what was last known stands, for everybody, until the outage has lasted
long enough to be told (law 2, law 7).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.registry import no_answer
from pennant_operator.decide.registry.brake import UNBRAKED, RecordedBrake
from pennant_operator.decide.registry.health import Health
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.decide.seen.observed import (
    Absent,
    Desired,
    GateFacts,
    ModelVersion,
    Unresolved,
)
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.connection import Count, ReadSecret
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.announcements import Announcements, Enqueue
from pennant_operator.observe.poll.between_polls import BetweenPolls
from pennant_operator.observe.poll.brake import AliasBrake
from pennant_operator.observe.poll.gate_questions import GateQuestion
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.last_good import GoodQuestion
from pennant_operator.observe.poll.link import Link
from pennant_operator.observe.poll.outage import Outage
from pennant_operator.observe.poll.questions import Questions
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.version_facts import Identity
from pennant_operator.observe.poll.watchers import Watchers
from pennant_registry.hold_form import Holds
from pennant_registry.places import Place

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PollerDependencies:
    """What a poller needs of the rest."""

    read_secret: ReadSecret
    enqueue: Enqueue
    report: Callable[[Health], Awaitable[None]]
    count: Count
    now: Callable[[], datetime]
    random: Callable[[], float]


class Poller:
    """One ModelRegistry."""

    def __init__(
        self,
        spec: RegistrySpec,
        store: Store,
        dependencies: PollerDependencies,
        known: Known | None = None,
        recorded: RecordedBrake = UNBRAKED,
    ) -> None:
        self.spec = spec
        self._watchers = Watchers(spec, store)
        self._dependencies = dependencies
        self._known = known or Known()
        self.brake: AliasBrake = AliasBrake(
            spec.brake,
            self._known,
            lambda watch: self._watchers.places(watch, recorded),
            recorded,
            dependencies.now,
        )
        self._link = Link(
            spec,
            self._known,
            dependencies.read_secret,
            dependencies.count,
            self._watchers.all_recorded,
            self.brake.listed,
        )
        self._outage = Outage()
        self._announcements = Announcements(
            spec.name, self._known, self._outage, self._watchers, dependencies.enqueue
        )
        self._trouble: str | None = None
        self._models = 0
        self._questions = Questions()
        self._between = BetweenPolls(self._known, self._questions, self._outage, self._survey)
        self.asked = asyncio.Event()
        """The first poll is over, whatever came of it."""

    def desired(self, watch: Watch, key: Key) -> Desired:
        """What is known, for one ModelDeployment; what was never answered is asked at once."""
        name, known = self.spec.name, self._known
        if self._outage.reported:
            return no_answer.registry_silent(name, self._outage.since)
        answer = self.brake.shown(watch)
        pointed = answer.state if isinstance(answer.state, Pointed) else answer.at
        if pointed is not None:
            record = self._watchers.recorded(watch, key, pointed)
            if record is not None:
                return record
        if isinstance(answer.state, ModelVersion | Absent | Unresolved):
            return answer.state
        if answer is not known.answer(watch):  # it moved, and is judged with all others first
            return no_answer.registry_not_asked(name)
        known.ask_again(watch)  # at a version that is new here, if it was asked for at all
        self._questions.add_new()
        return no_answer.registry_not_asked(name)

    def holds(self, watch: Watch) -> Holds | None:
        """Those on what is watched; None where nobody has answered yet."""
        return self._known.holds.get(watch)

    def ask_soon(self, watch: Watch) -> bool:
        """Ask this soon, on somebody's hint; False when nobody who may wants to know it."""
        wanted = self._watchers.may_ask(watch)
        if wanted:
            self._questions.add_hint(watch)
        return wanted

    def gate_facts(self, key: Key, question: GateQuestion | None) -> GateFacts | None:
        """What gates of one ModelDeployment want to know; what is not known is asked at once."""
        now = asyncio.get_running_loop().time()
        facts = self._known.gate_facts.look_up(key, question, now)
        if question is not None and (facts is None or question.on_hold):
            self._questions.add_new()
        return facts

    def serving_missing(self, key: Key, wanted: Identity | None) -> bool | None:
        """Whether what serves is registered no more; what is not known is asked at once."""
        missing = self._known.served.look_up(key, wanted)
        if wanted is not None and self._known.served.is_due(wanted):
            self._questions.add_new()
        return missing

    def last_good(self, key: Key, model: str | None) -> ModelVersion | None:
        """Which version of a model served well here; what is not known is asked at once."""
        write_back, known = self.spec.write_back, self._known.last_good
        if model is None or write_back is None:
            return known.look_up(key, None)
        version = known.look_up(key, GoodQuestion(model, Place(write_back.cluster, *key)))
        if known.due():
            self._questions.add_new()
        return version

    def tags_changed(self, model: str, version: str) -> bool:
        """Somebody hints at it; False when nobody is held who waits for that."""
        wanted = self._known.gate_facts.hint(model, version)
        if wanted:
            self._questions.add_new()
        return wanted

    @property
    def known(self) -> Known:
        """For the poller that takes this one's place."""
        return self._known

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._turn(self._survey(), whole=True)
                await self._pause()
        finally:
            await self._link.drop()

    async def _pause(self) -> None:
        """Wait for the next poll; ask what is new or hinted at before, unless there is trouble.

        A hint ends the pause after trouble: the server that sent it is back.
        """
        loop = asyncio.get_running_loop()
        draw = self._dependencies.random()
        pause = self._outage.pause(self.spec.poll_interval, draw).total_seconds()
        until = loop.time() + pause
        if self._outage.failures:
            self._questions.pause_after(pause)
        while (asked := await self._between.asked_before(until)) is not None:
            if self._outage.failures:
                return
            began = loop.time()
            await self._turn(asked)
            self._questions.pause_after(loop.time() - began)

    async def _turn(self, watches: set[Watch], *, whole: bool = False) -> None:
        self._announcements.snapshot(watches)
        self.brake.begin(watches, whole=whole)
        braked = self.brake.on
        self._questions.take()  # what comes from now on is asked after this
        try:
            await self._ask(watches)
        except RegistryTroubleError as error:
            LOG.warning("registry %s: %s", self.spec.name, error)
            await self._failed(str(error))
        else:
            self._trouble = None
            self._outage.succeeded()
        self.brake.end(complete=self._trouble is None)
        self._announcements.announce_all()
        if braked and not self.brake.on:
            self._look_at_all()
        await self._report()

    async def _ask(self, watches: set[Watch]) -> None:
        """These, and what gates want to know by now, be it the first word after an outage."""
        gate_facts = self._known.gate_facts.due(asyncio.get_running_loop().time())
        others = self._known.served.due() or self._known.last_good.due()
        if watches or not (gate_facts or others):
            await self._link.ask(watches, self._answered)
        if gate_facts:
            await self._link.ask_gate_facts(gate_facts, self._enqueue_urgently)
        if served := self._known.served.due():
            await self._link.ask_served(served, self._dependencies.enqueue)
        if good := self._known.last_good.due():
            await self._link.ask_last_good(good, self._enqueue_urgently)

    def _answered(self, watch: Watch) -> None:
        for each in self.brake.answered(watch):
            self._announcements.announce(each)

    def _look_at_all(self) -> None:
        """What was stopped by the brake goes on."""
        for watch in self._watchers.watches():
            self._dependencies.enqueue(self._watchers.keys(watch))

    def _enqueue_urgently(self, keys: Set[Key]) -> None:
        """That a move may go on now is as urgent as the move."""
        self._dependencies.enqueue(keys, urgent=True)

    async def resume(self) -> None:
        """A person says that what the brake stopped is work."""
        self.brake.resume()
        await self._report()
        self._look_at_all()

    async def fault(self, trouble: str) -> None:
        """`run` raised: nothing is known until it runs again."""
        self._announcements.snapshot(self._known.answers)
        await self._failed(trouble)
        self._announcements.announce_all()
        await self._report()

    async def _failed(self, trouble: str) -> None:
        self._trouble = trouble
        self._outage.failed(self._dependencies.now())
        await self._link.drop()

    async def _report(self) -> None:
        self.asked.set()
        await self._dependencies.report(
            Health(
                self._link.server_version,
                self._models,
                self._trouble,
                brake=self.brake.state(),
            )
        )

    def _survey(self) -> set[Watch]:
        """What is asked of this registry by somebody who may; anything else is forgotten."""
        watches = self._watchers.watches()
        self._known.held_before |= {
            watch
            for watch in watches - self._known.holds.keys()
            if self._watchers.remember_a_hold(watch)
        }
        self._known.forget_all_but(watches)
        asking = self._known.gate_facts.watches() & watches
        self._known.gate_facts.forget_all_but({w: self._watchers.keys(w) for w in asking})
        models = {watch.model for watch in watches}
        keys = {key for watch in watches for key in self._watchers.keys(watch)}
        self._known.served.forget_all_but(keys, models)
        self._known.last_good.forget_all_but(keys)
        self._models = len(models)
        return watches
