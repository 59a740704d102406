"""What a registry answered so far: one state of each watch. It outlives connections and outages.

What would take something back that is known has to last before it is told: a model may slip out of
one answer, an alias may be set anew, and one error is none (law 2).
"""

from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pennant_operator.decide.registry.brake import Position
from pennant_operator.decide.seen.observed import Absent, ModelVersion, Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import retagged
from pennant_operator.observe.poll.gate_facts import GateFactsCache
from pennant_operator.observe.poll.last_good import LastGoodVersions
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.retries import Retries
from pennant_operator.observe.poll.served import ServedVersions
from pennant_registry.hold_form import Holds

# at least, from the first sight of an absence to the read that confirms it
ABSENCE_CONFIRMATION_SECONDS = 5.0
# that trouble with one model lasts until it replaces what was known
UNRESOLVED_CONFIRMATION_SECONDS = 30.0

# At a version; at one that everybody who watches it has a record of; not to be resolved, or hidden
# from the account; absent. None: never answered.
State: TypeAlias = ModelVersion | Pointed | Unresolved | Absent | None
Stamp: TypeAlias = tuple[int, int, str]


@dataclass(frozen=True)
class Doubt:
    """Another state than the one that is shown, and when it was first seen, by the loop's clock."""

    what: Absent | Unresolved
    since: float

    @property
    def until(self) -> float:
        """When it is believed, if it is seen again."""
        return self.since + (
            ABSENCE_CONFIRMATION_SECONDS
            if isinstance(self.what, Absent)
            else UNRESOLVED_CONFIRMATION_SECONDS
        )

    def same(self, what: Absent | Unresolved) -> bool:
        """Whether this is seen again; trouble may be put in other words each time."""
        return what == self.what or (
            isinstance(what, Unresolved) and isinstance(self.what, Unresolved)
        )


@dataclass(frozen=True)
class WatchAnswer:
    """The registry's last word on one watch."""

    state: State = None
    stamp: Stamp | None = None  # of its model as of the answer; None: it must be asked for again
    at: Pointed | None = None  # the version that is not to be resolved
    doubt: Doubt | None = None


@dataclass
class Known:
    """All that one registry answered."""

    answers: dict[Watch, WatchAnswer] = field(default_factory=dict)
    size: int = 0  # registered models that there are at least, as of the last walk
    resolved: dict[tuple[str, str, int], ModelVersion] = field(default_factory=dict)
    apart: dict[str, float] = field(default_factory=dict)  # spoil a search; since when
    tardy: Retries[str] = field(default_factory=Retries)  # models; no answer came in time
    sourceless: Retries[Watch] = field(default_factory=Retries)  # at a version without a source
    holds: dict[Watch, Holds] = field(default_factory=dict)
    places: dict[Watch, tuple[Position, ...]] = field(default_factory=dict)
    """Where aliases were with the last poll of all: what the brake compares with."""
    held_before: set[Watch] = field(default_factory=set)  # when this process began
    gate_facts: GateFactsCache = field(default_factory=GateFactsCache)
    served: ServedVersions = field(default_factory=ServedVersions)
    last_good: LastGoodVersions = field(default_factory=LastGoodVersions)

    def answer(self, watch: Watch) -> WatchAnswer:
        """What is known of a watch."""
        return self.answers.get(watch, WatchAnswer())

    def state(self, watch: Watch) -> State:
        """What those who watch this are shown."""
        return self.answer(watch).state

    def answered(self, watch: Watch, state: ModelVersion | Pointed, stamp: Stamp | None) -> None:
        """It is there."""
        self.answers[watch] = WatchAnswer(state, stamp)
        self.sourceless.answered(watch)

    def unresolved(
        self, watch: Watch, what: Unresolved, at: Pointed, stamp: Stamp, now: float
    ) -> None:
        """It is at a version, and where the bytes of that are is not to be had."""
        if self.answer(watch).stamp != stamp:
            self.sourceless.answered(watch)  # of another version
        self.answers[watch] = WatchAnswer(self._same_wording(watch, what), stamp, at)
        self.sourceless.failed(watch, now)

    def is_answered(self, watch: Watch, stamp: Stamp, now: float) -> bool:
        """Whether nothing more is to be asked while its model is as it was."""
        answer = self.answer(watch)
        if isinstance(answer.state, Unresolved) and not self.sourceless.rests(watch, now):
            return False
        return answer.stamp == stamp

    def doubted(self, watch: Watch, what: Absent | Unresolved, now: float) -> None:
        """What is shown may not be so any more; where nothing is, this is shown and moves nothing.

        What one question says of a version that is not to be resolved stands for a while, too:
        those who have a record of it go on by that.
        """
        answer = self.answer(watch)
        bare = answer.at is None and (answer.state is None or isinstance(answer.state, Unresolved))
        if bare and isinstance(what, Unresolved):
            self.answers[watch] = WatchAnswer(self._same_wording(watch, what))
            return
        doubt = answer.doubt
        if doubt is None or not doubt.same(what):
            doubt = Doubt(what, now)
        if now >= doubt.until:
            self.answers[watch] = WatchAnswer(what)
        elif bare:
            known = self._same_wording(watch, Unresolved(what.reason, what.message))
            self.answers[watch] = WatchAnswer(known, doubt=doubt)
        else:
            self.answers[watch] = replace(answer, doubt=doubt)

    def confirmed(self, watch: Watch) -> None:
        """What is shown is so."""
        answer = self.answer(watch)
        if answer.doubt is not None:
            self.answers[watch] = replace(answer, doubt=None)

    def retagged(self, name: str, version: str) -> None:
        """Somebody read its tags again: who follows it is shown what they say of how it runs."""
        for watch, answer in self.answers.items():
            state = answer.state
            if isinstance(state, ModelVersion) and (state.name, state.version) == (name, version):
                now = self.resolved.get((name, version, state.created), state)
                self.answers[watch] = replace(answer, state=retagged(state, now))

    def ask_again(self, watch: Watch) -> None:
        """Somebody needs more than was asked."""
        self.answers[watch] = replace(self.answer(watch), stamp=None)

    def unanswered(self, watches: Set[Watch]) -> set[Watch]:
        """Those of which nothing is known, or less than somebody needs."""

        def lacks(answer: WatchAnswer) -> bool:
            return answer.state is None or (
                isinstance(answer.state, Pointed) and answer.stamp is None
            )

        return {watch for watch in watches if lacks(self.answer(watch))}

    def perhaps_absent(self) -> dict[Watch, float]:
        """What was seen to be absent, and when that is to be confirmed."""
        return {
            watch: answer.doubt.until
            for watch, answer in self.answers.items()
            if answer.doubt is not None and isinstance(answer.doubt.what, Absent)
        }

    def forget_all_but(self, watches: Set[Watch]) -> None:
        """Drop what nobody watches any more."""
        for watch in self.answers.keys() - watches:
            del self.answers[watch]
        self.holds = {k: v for k, v in self.holds.items() if k in watches}
        self.held_before &= watches
        models = {watch.model for watch in watches}
        self.resolved = {k: v for k, v in self.resolved.items() if k[0] in models}
        self.apart = {k: v for k, v in self.apart.items() if k in models}
        self.tardy.forget_all_but(models)
        self.sourceless.forget_all_but(watches)

    def knows(self, watch: Watch, what: Unresolved, now: float) -> bool:
        """Whether this is no news: it is shown, or was seen, and is not to be shown yet."""
        doubt = self.answer(watch).doubt
        doubted = doubt is not None and doubt.same(what) and now < doubt.until
        return doubted or self._same_wording(watch, what) is not what

    def _same_wording(self, watch: Watch, what: Unresolved) -> Unresolved:
        """The words stand while the matter does: an error may have another number each time."""
        known = self.state(watch)
        if not isinstance(known, Unresolved):
            return what
        same = (known.reason, known.version) == (what.reason, what.version)
        return known if same else what
