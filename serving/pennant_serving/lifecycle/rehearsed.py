"""What a rehearsal came to: counts and times, nothing of what was asked or answered."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class RehearsalOutcome(StrEnum):
    """How a rehearsal ended that did not end the container."""

    PASSED = "Passed"
    """It answered as the version before it did."""
    NO_SAMPLES = "NoSamples"
    """There was nothing to play: nobody serves yet, or what serves remembers no requests."""
    SKIPPED = "Skipped"
    """It has had the traffic before, or it is what serves."""


class Rehearsed(msgspec.Struct, frozen=True):
    """The report."""

    outcome: RehearsalOutcome
    message: str
    """In a sentence."""
    against: str = ""
    """The version whose answers it was compared with."""
    answered: int = 0
    """Requests that it could have given, since it started."""
    remembered: int = 0
    """Of them, those that it had in memory."""
    given: int = 0
    """Of them, those that came: at most as many as are asked for."""
    played: int = 0
    """Of them, those that could be played in time: what all shares are of."""
    failed: int = 0
    equal: int = 0
    compared: int = 0
    """Played requests whose answers could be compared."""
    seconds_before: float = 0.0
    """Median of one request."""
    seconds_now: float = 0.0
    seconds: float = 0.0
    """That the rehearsal took."""
