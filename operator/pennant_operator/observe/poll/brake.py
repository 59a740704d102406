"""Counts the aliases of one registry that are not where they were with the poll before.

An alias counts once, however many ModelDeployments follow it. What webhooks tell between two polls
counts together with the next one, or for a minute where polls are rarer. While a poll goes on, what
moved is shown to nobody as long as the rest of it could make that too many.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime, timedelta

from pennant_operator.decide.registry.brake import (
    MAX_SHOWN_ALIASES,
    BrakeSpec,
    BrakeState,
    Position,
    RecordedBrake,
    is_elsewhere,
    move_message,
)
from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.poll.known import Known, WatchAnswer
from pennant_operator.observe.poll.recorded import Pointed

# after a person let it go on, in which a new process counts nothing: not all may be recorded yet
RESUME_GRACE = timedelta(minutes=5)
HINTS_WINDOW = timedelta(minutes=1)  # at most, in which what webhooks tell counts together
Before = Callable[[Watch], tuple[Position, ...]]


class AliasBrake:
    """One registry's; `before` says where statuses have an alias, for the first poll."""

    def __init__(
        self,
        spec: BrakeSpec,
        known: Known,
        before: Before,
        recorded: RecordedBrake,
        now: Callable[[], datetime],
    ) -> None:
        self._spec = spec
        self._known = known
        self._before = before
        self._now = now
        self._on = recorded.on and not spec.off
        self._resumed = recorded.resumed is not None
        self._grace_until = recorded.resumed + RESUME_GRACE if recorded.resumed else None
        self._elsewhere: dict[Watch, Position | None] = {}
        self._unseen: set[Watch] = set()
        self._shown_still: dict[Watch, WatchAnswer] = {}  # what moved, as it was
        self._answers: Mapping[Watch, WatchAnswer] = {}
        self._whole = False  # a poll of all, not of what was hinted at
        self._followed = 0
        self._settled = now()
        self.counted = False
        """Whether a poll was answered in full since this process began."""

    @property
    def on(self) -> bool:
        """Whether it holds."""
        return self._on

    def state(self) -> BrakeState | None:
        """What to say of it; None while that is what was said before."""
        if not self.counted:
            return None
        moves = sorted(self._elsewhere.items(), key=str)[:MAX_SHOWN_ALIASES] if self._on else ()
        return BrakeState(
            on=self._on,
            resumed=self._resumed,
            off=self._spec.off,
            followed=self._followed,
            elsewhere=len(self._elsewhere),
            shown=tuple(move_message(watch, self._places(watch), at) for watch, at in moves),
        )

    def shown(self, watch: Watch) -> WatchAnswer:
        """What those who watch this are to go by now."""
        return self._shown_still.get(watch) or self._known.answer(watch)

    def begin(self, watches: Set[Watch], *, whole: bool) -> None:
        """These are asked from now on."""
        aliases = {watch for watch in watches if watch.version is None}
        places = self._known.places
        for watch in aliases - places.keys():
            places[watch] = () if self._in_grace() else self._before(watch)
        if whole:
            for watch in places.keys() - aliases:
                del places[watch]
                self._elsewhere.pop(watch, None)
        self._followed = sum(map(bool, places.values()))
        if not whole and not self._on and self._now() >= self._settled + HINTS_WINDOW:
            self._settle()
        self._whole, self._unseen = whole, aliases if whole else set()
        self._answers = dict(self._known.answers) if whole else {}

    def listed(self, searched: Set[str], models: Mapping[str, RegisteredModel]) -> None:
        """What one request told of many models, before what moved is looked into."""
        for watch in [each for each in self._unseen if each.model in searched & models.keys()]:
            self._count(watch, _position_in(watch, models[watch.model]))
            self._unseen.discard(watch)

    def answered(self, watch: Watch) -> list[Watch]:
        """It was looked into: those that may be shown as they are now."""
        if watch.version is not None:
            return [watch]
        known, position = position_of(self._known.answer(watch))
        if known:
            self._count(watch, position)
        self._unseen.discard(watch)
        if watch in self._elsewhere and self._undecided():
            self._shown_still[watch] = self._answers.get(watch, WatchAnswer())
            return []
        return [watch, *self._let_go()]

    def end(self, *, complete: bool) -> None:
        """The answers are in, or as many as there will be: all may be shown by now."""
        self._shown_still = {}
        if complete and self._whole:
            self.counted = True
            if not self._elsewhere and all(self._is_known(watch) for watch in self._unseen):
                self._on = False
            if not self._on:
                self._settle()
        self._unseen = set()

    def resume(self) -> None:
        """A person says that it is work: where the aliases are is where they are to be."""
        self._on, self._resumed, self.counted = False, True, True
        self._settle()

    def _settle(self) -> None:
        """What is known now is what the next poll is compared with."""
        for watch in self._known.places:
            known, position = position_of(self._known.answer(watch))
            if known:
                self._known.places[watch] = (position,) if position else ()
        self._elsewhere, self._settled = {}, self._now()

    def _count(self, watch: Watch, position: Position | None) -> None:
        if is_elsewhere(self._places(watch), position):
            self._elsewhere[watch] = position
        else:
            self._elsewhere.pop(watch, None)
        if not self._on and self._spec.takes_hold(len(self._elsewhere), self._followed):
            self._on, self._resumed, self.counted = True, False, True

    def _places(self, watch: Watch) -> tuple[Position, ...]:
        return self._known.places.get(watch, ())

    def _undecided(self) -> bool:
        worst = len(self._elsewhere) + len(self._unseen - self._elsewhere.keys())
        return not self._on and self._spec.takes_hold(worst, self._followed)

    def _let_go(self) -> Iterable[Watch]:
        if not self._shown_still or self._undecided():
            return ()
        shown, self._shown_still = list(self._shown_still), {}
        return shown

    def _is_known(self, watch: Watch) -> bool:
        """What does not answer in time was perhaps answered before."""
        return position_of(self._known.answer(watch))[0]

    def _in_grace(self) -> bool:
        return self._grace_until is not None and self._now() < self._grace_until


def position_of(answer: WatchAnswer) -> tuple[bool, Position | None]:
    """Whether that is known, and where an alias is; None: it vanished, be it for a moment."""
    if answer.doubt is not None and isinstance(answer.doubt.what, Absent):
        return True, None
    at = answer.at or answer.state
    if isinstance(at, ModelVersion | Pointed):
        return True, (at.version, at.registered)
    return isinstance(at, Absent), None


def _position_in(watch: Watch, model: RegisteredModel) -> Position | None:
    numbers = model.stages if watch.stage is not None else model.aliases
    number = numbers.get(watch.stage or watch.alias or "")
    return None if number is None else (number, model.created)
