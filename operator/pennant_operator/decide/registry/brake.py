"""The brake of a ModelRegistry: whether its aliases moved as by work, or as by another database.

What many aliases do within one poll, moving or vanishing, is no promotion: a database was restored
from a backup, or emptied. Then nothing of the registry is rolled out until they are back, or a
person says that it is work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.times import parse_time

BRAKED = "Braked"  # the condition of a ModelRegistry
RESUMED = "Resumed"  # its reason once a person let it go on
MAX_SHOWN_ALIASES = 5  # in the condition's message
# Version, and when its model was made in milliseconds since the epoch (0: nobody recorded it).
Position: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class BrakeSpec:
    """`spec.brake`, defaults filled in."""

    share: Decimal = Decimal("0.20")  # of the followed aliases; 1: off
    minimum: int = 3

    @property
    def off(self) -> bool:
        """Whether it never takes hold."""
        return self.share >= 1

    def takes_hold(self, elsewhere: int, followed: int) -> bool:
        """Whether so many of the followed aliases that are elsewhere are too many."""
        many = elsewhere >= self.minimum and elsewhere >= self.share * followed
        return many and not self.off


DEFAULT_BRAKE = BrakeSpec()


@dataclass(frozen=True)
class BrakeState:
    """Whether the brake holds, and why."""

    on: bool = False
    resumed: bool = False  # a person let it go on
    off: bool = False  # by the spec
    followed: int = 0  # aliases
    elsewhere: int = 0  # of these, by now
    shown: tuple[str, ...] = ()  # the first of them, each a sentence


@dataclass(frozen=True)
class RecordedBrake:
    """What the status of a ModelRegistry says of its brake, perhaps by another process."""

    on: bool = False
    resumed: datetime | None = None


UNBRAKED = RecordedBrake()


def parse_brake(given: Mapping[str, Any]) -> BrakeSpec:
    """The brake of a spec; raises ValueError, whose message names the field."""
    share, minimum = given.get("share", "0.20"), given.get("minimum", 3)
    try:
        parsed = Decimal(share)
    except (InvalidOperation, TypeError):
        parsed = Decimal(0)
    if not parsed.is_finite() or not 0 < parsed <= 1:
        raise ValueError(f"spec.brake.share {share!r} is not above 0 and at most 1: write '0.20'")
    if minimum < 1:
        raise ValueError(f"spec.brake.minimum {minimum!r} is too small: write 1 or more")
    return BrakeSpec(parsed, minimum)


def is_elsewhere(before: tuple[Position, ...], now: Position | None) -> bool:
    """Whether an alias is at none of the places where it may have been; None: it vanished.

    What was nowhere cannot move: its first version is work.
    """
    if now is None:
        return bool(before)
    return bool(before) and not any(_same(each, now) for each in before)


def _same(one: Position, other: Position) -> bool:
    """A number is used twice where a model was made again, or its database is another one."""
    return one[0] == other[0] and (one[1] == other[1] or 0 in (one[1], other[1]))


def move_message(watch: Watch, before: tuple[Position, ...], now: Position | None) -> str:
    """One alias that is elsewhere."""
    was = " or ".join(sorted({version for version, _ in before}))
    where = "nowhere" if now is None else f"version {now[0]}"
    return f"{watch.pointer} of {watch.model} {where} (was {was})"


def position_before(
    owner: Object, watch: Watch, recorded: RecordedBrake
) -> tuple[bool, str] | None:
    """Where an alias was by the status of one ModelDeployment, and whether as of before the brake.

    None where that knows nothing of it. What was before a brake that a person let go is over.
    """
    memory = Memory(
        sanitized_status(owner.get("status")), int(owner["metadata"].get("generation", 0))
    )
    if not memory.resolved_for(watch):
        return None
    before = memory.before_brake
    if before and (recorded.resumed is None or parse_time(before["since"]) > recorded.resumed):
        return True, str(before["version"])
    version = memory.desired.get("version")
    return None if version is None else (False, str(version))


def recorded_brake(registry: Object) -> RecordedBrake:
    """As its status has it."""
    conditions = (registry.get("status") or {}).get("conditions") or []
    braked: dict[str, Any] = next((each for each in conditions if each.get("type") == BRAKED), {})
    if braked.get("status") == "True":
        return RecordedBrake(on=True)
    if braked.get("reason") != RESUMED:
        return UNBRAKED
    try:
        return RecordedBrake(resumed=parse_time(braked["lastTransitionTime"]))
    except ValueError:  # somebody wrote it
        return UNBRAKED


def brake_condition(brake: BrakeState, name: str) -> dict[str, str]:
    """What the condition Braked says, without its times."""
    if brake.on:
        return _condition_of("True", "AliasesMoved", _braked_message(brake, name))
    if brake.off:
        return _condition_of("False", "Off", "spec.brake.share is 1: the brake never takes hold.")
    if brake.resumed:
        message = "A person let it go on: what its aliases point at by now is rolled out."
        return _condition_of("False", RESUMED, message)
    return _condition_of("False", "NotBraked", "Its aliases move as they do by work.")


def _condition_of(status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": BRAKED, "status": status, "reason": reason, "message": message}


def _braked_message(brake: BrakeState, name: str) -> str:
    shown = "; ".join(brake.shown)
    more = brake.elsewhere - len(brake.shown)
    which = f": {shown}{f'; and {more} more' if more > 0 else ''}" if shown else ""
    return (
        "So many aliases moved or vanished within one poll that this looks like a restored or "
        f"emptied database: {brake.elsewhere} of {brake.followed} that are followed are not where "
        f"they were{which}. Nothing of this registry is rolled out. Have them put back, and this "
        f"ends by itself; if it is work, create a RolloutAction with action Resume and registry "
        f"{name}."
    )
