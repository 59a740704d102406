"""What to do next, given what the registry says and which servers there are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Revision:
    """One version; whoever registers a model anew begins again at 1."""

    number: int
    created: datetime | None = None

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is so."""

    desired: Revision | None = None
    """What the registry said last; None where the alias is not set."""
    serving: Revision | None = None
    """What answers requests."""
    coming: Revision | None = None
    """What is being fetched or loaded."""
    good: Revision | None = None
    """What served last, and does unless it died."""
    refused: Revision | None = None
    """What did not load, and is not tried again until the alias has pointed elsewhere."""
    paused: Revision | None = None
    """What failed for a reason that may pass, and is tried again later."""


@dataclass(frozen=True, slots=True)
class Step:
    """First `drop`, then `load`."""

    drop: bool = False
    """What is coming up is not wanted any more."""
    load: Revision | None = None


def next_step(now: Situation) -> Step:
    """What served goes on, or comes back, where nothing else can."""
    is_desired = now.desired is not None and now.desired != now.refused
    wanted = now.desired if is_desired else now.good
    if wanted == now.coming:
        return Step()
    is_missing = wanted not in (None, now.serving, now.paused)
    return Step(drop=now.coming is not None, load=wanted if is_missing else None)


def still_refused(refused: Revision | None, desired: Revision | None) -> Revision | None:
    """What stays refused when the alias points at `desired`."""
    return refused if refused == desired else None


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(2.0 ** min(failures - 1, 9), LONGEST_PAUSE_SECONDS)
