"""Why what serves is not what is desired, and the smallest changes after which it will be.

Each change is tried: `plan` decides about the same world with that one thing otherwise, and then,
where something else is in the way, with that otherwise, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pennant_operator.decide.seen.memory import memory_of
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.decide.why import registry, room, word
from pennant_operator.decide.why.change import Change, Means, watch_in
from pennant_operator.decide.why.settling import REACHED, Moment, settled
from pennant_operator.decide.why.told import EMPTY, NOT_TOLD, REFUSED, SILENT, as_told
from pennant_operator.decide.why.waiting import gives_up_at, wait

MAX_CHANGES = 4  # of one remedy, one after the other
MAX_REMEDIES = 6  # that are shown

Way = Callable[[Moment], Change | None]
WAYS: dict[str, tuple[Way, ...]] = {
    Reason.GATE_NOT_PASSED: (registry.pass_gates, word.approve, wait),
    Reason.HELD_IN_REGISTRY: (registry.release, wait),
    Reason.HELD_BY_ACTION: (word.end_holds, wait),
    Reason.SUSPENDED: (word.unsuspend,),
    Reason.SCALED_TO_ZERO: (word.scale,),
    Reason.BRAKED: (registry.resume,),
    Reason.IN_LINE: (registry.turn,),
    Reason.HELD: (word.put_right_and_retry, wait),
    Reason.ROLLING_OUT: (room.put_right, room.make_room, word.promote),
    Reason.REJECTED: (registry.elsewhere, word.edit_serving, word.retry),
    Reason.SERVING_VERSION_MISSING: (registry.elsewhere,),
    Reason.INVALID_SPEC: (word.correct_spec,),
    Reason.NAME_CONFLICT: (word.free_name,),
    Reason.WRITE_REFUSED: (word.correct_spec,),
    Reason.WRITE_FAILED: (word.correct_spec,),
    **dict.fromkeys(EMPTY, (registry.elsewhere,)),
    **dict.fromkeys(SILENT, (registry.answers,)),
    **dict.fromkeys(NOT_TOLD, (registry.answers, registry.elsewhere)),
    **dict.fromkeys(REFUSED, (registry.allows,)),
}


@dataclass(frozen=True)
class Remedy:
    """Changes, one after the other, after which the desired version gets the traffic."""

    changes: tuple[Change, ...]
    after: Moment

    @property
    def then(self) -> str:
        """What the operator does next."""
        memory = self.after.memory
        if not memory.candidate:
            return f"version {memory.serving.get('version')} has the traffic"
        imagined = any(each.means is Means.ELSEWHERE for each in self.changes)
        who = "that version" if imagined else f"version {memory.candidate['version']}"
        return f"{who} comes up, and gets the traffic when all its pods are ready"


@dataclass(frozen=True)
class Answer:
    """What is so, by the operator's own last words, and what would change it."""

    reason: str
    message: str
    in_sync: bool
    gives_up: datetime | None  # until when what comes up may; None: nothing does
    remedies: tuple[Remedy, ...]


def why(seen: Observed, now: datetime) -> Answer:
    """By what Kubernetes shows; the `desired` of `seen` is not looked at."""
    owner = seen.owner | {"status": sanitized_status(seen.owner.get("status"))}
    moment = Moment(replace(seen, owner=owner), now)
    moment = replace(moment, seen=as_told(moment.seen, watch_in(moment)))
    in_sync = moment.reason in REACHED
    remedies = () if in_sync else tuple(_remedies(moment))[:MAX_REMEDIES]
    return Answer(
        moment.reason, moment.message, in_sync, None if in_sync else gives_up_at(moment), remedies
    )


def is_judged(seen: Observed) -> bool:
    """Whether the operator has looked at the spec as it is now."""
    return memory_of(seen.owner).same_spec


def _remedies(start: Moment) -> Iterator[Remedy]:
    """The smallest first: what arrives with fewer changes is not made longer."""
    reached: list[tuple[tuple[Change, ...], Moment]] = [((), start)]
    known: set[frozenset[str]] = set()
    arrived: list[frozenset[str]] = []
    for _ in range(MAX_CHANGES):
        longer = []
        for changes, moment in reached:
            for way in WAYS.get(moment.reason, ()):
                change = way(moment)
                if change is None or change.means in {each.means for each in changes}:
                    continue
                path = (*changes, change)
                means = frozenset(each.means for each in path)
                if means in known or any(enough <= means for enough in arrived):
                    continue
                known.add(means)
                after = settled(change.done(moment))
                if after.arrives:
                    arrived.append(means)
                    yield Remedy(path, after)
                else:
                    longer.append((path, after))
        reached = longer
