"""RolloutActions as they are: what people ask of one rollout, and which of it is in force now.

Pin and Hold last while the object is there and has not expired; the others act once. Of several
the newest counts: by the time of their creation, then by name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pennant_operator.decide.times import format_time, parse_time

KIND = "RolloutAction"


class Act(StrEnum):
    """What a person can do (`spec.action`)."""

    PIN = "Pin"
    HOLD = "Hold"
    APPROVE = "Approve"
    ABORT = "Abort"
    RETRY = "Retry"
    PROMOTE = "Promote"
    SKIP = "Skip"
    RESUME = "Resume"


class State(StrEnum):
    """What became of it (`status.state`)."""

    PENDING = "Pending"
    ACTIVE = "Active"
    DONE = "Done"
    EXPIRED = "Expired"
    REFUSED = "Refused"


LASTING = (Act.PIN, Act.HOLD)
FINISHED = (State.DONE, State.EXPIRED, State.REFUSED)


@dataclass(frozen=True)
class RolloutAction:
    """One of them, whatever its status may hold."""

    obj: dict[str, Any]  # as it was seen
    act: Act
    created: datetime
    version: str | None = None
    revision: str | None = None
    expires: datetime | None = None
    state: State | None = None  # None: nothing was said of it yet
    since: datetime | None = None  # that it is in this state

    @property
    def name(self) -> str:
        """Its name, in the namespace of what it is about."""
        return str(self.obj["metadata"]["name"])

    @property
    def uid(self) -> str:
        """What tells it from another one of its name."""
        return str(self.obj["metadata"]["uid"])

    @property
    def message(self) -> str:
        """What was said of it last."""
        return str((self.obj.get("status") or {}).get("message", ""))

    @property
    def finished(self) -> bool:
        """Nothing becomes of it any more."""
        return self.state in FINISHED

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires

    def title(self, *, actors_checked: bool) -> str:
        """As a message names it: who asked is told only where the API server checked that."""
        spec = self.obj.get("spec") or {}
        parts = [
            f"of {spec['actor']}" if actors_checked and spec.get("actor") else "",
            f"until {format_time(self.expires)}" if self.expires and self.act in LASTING else "",
        ]
        details = ", ".join(part for part in parts if part)
        why = " ".join(str(spec.get("reason", "")).split())
        more = ": ".join(part for part in (details, why) if part)
        return f"RolloutAction {self.name}" + (f" ({more})" if more else "")


def parse_action(obj: dict[str, Any]) -> RolloutAction | None:
    """A RolloutAction as the API server returns it; None for one of another operator's making."""
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    status = obj.get("status") or {}
    created = _time(meta.get("creationTimestamp"))
    try:
        act = Act(str(spec.get("action")))
    except ValueError:
        return None
    if created is None or (act is Act.PIN and not spec.get("version")):
        return None
    state = status.get("state")
    return RolloutAction(
        obj=obj,
        act=act,
        created=created,
        version=spec.get("version"),
        revision=spec.get("revision"),
        # A time that no clock reaches must not become one that never ends.
        expires=_time(spec["expiresAt"]) or created if spec.get("expiresAt") else None,
        state=State(state) if state in set(State) else None,
        since=_time(status.get("time")),
    )


def parse_actions(objects: Iterable[dict[str, Any]]) -> tuple[RolloutAction, ...]:
    """Those that can be read and are not being deleted, oldest first."""
    parsed = (parse_action(obj) for obj in objects if "deletionTimestamp" not in obj["metadata"])
    known = [action for action in parsed if action is not None]
    return tuple(sorted(known, key=lambda each: (each.created, each.name)))


@dataclass(frozen=True)
class InForce:
    """What counts now: the newest Pin and the newest Hold; what acts once, oldest first."""

    pin: RolloutAction | None = None
    hold: RolloutAction | None = None
    once: tuple[RolloutAction, ...] = ()


def in_force(actions: Iterable[RolloutAction], now: datetime) -> InForce:
    """Of those that are neither finished nor expired."""
    live = [each for each in actions if not each.finished and not each.expired(now)]
    newest = {each.act: each for each in live}
    return InForce(
        newest.get(Act.PIN),
        newest.get(Act.HOLD),
        tuple(each for each in live if each.act not in LASTING),
    )


def _time(text: Any) -> datetime | None:
    try:
        return parse_time(text).astimezone(UTC) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
