"""Whether a version may be ready: what it answered against what `spec.rollout.rehearsal` allows.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FLOOR_SECONDS = 0.005
"""A median that is less above the one before is no news: it is the machine's."""
LEAST_TIMED = 3
"""Requests. The median of fewer is not compared."""
LEAST_ALONE = 10
"""Requests that were predicted alone. With fewer, those that were predicted with others count too,
whose time is that of all of them: it makes a slow version look faster, never a fast one slower."""
SHOWN_FAULTS = 3


@dataclass(frozen=True)
class Allowed:
    """The fields of `spec.rollout.rehearsal`."""

    errors: float
    """The share of requests that may fail; 0 is none."""
    slower: float
    """So many times as long as before they may not take."""
    agreement: float
    """The share of answers that must be equal."""


@dataclass(frozen=True)
class Played:
    """What came of one request."""

    fault: str
    """Route, and what is wrong; empty when it was answered in the shape of the answer before."""
    equal: bool | None
    """None where the answers cannot be compared."""
    seconds_before: float
    seconds_now: float | None
    """None where it was not measured alike."""
    alone: bool


@dataclass(frozen=True)
class Counts:
    """All of them together."""

    played: int
    failed: int
    compared: int
    equal: int
    seconds_before: float
    """Medians; 0 where too few were timed."""
    seconds_now: float
    faults: tuple[str, ...]
    """The first, each once."""

    @property
    def ratio(self) -> float:
        """How many times as long a request takes; 0 where that is not known."""
        return self.seconds_now / self.seconds_before if self.seconds_before else 0.0


def count(played: Sequence[Played]) -> Counts:
    """The counts of what was played."""
    faults = dict.fromkeys(each.fault for each in played if each.fault)
    compared = [each.equal for each in played if each.equal is not None]
    before, now = _medians(played)
    return Counts(
        played=len(played),
        failed=sum(bool(each.fault) for each in played),
        compared=len(compared),
        equal=sum(compared),
        seconds_before=before,
        seconds_now=now,
        faults=tuple(faults)[:SHOWN_FAULTS],
    )


def problem(counts: Counts, allowed: Allowed, versions: tuple[str, str]) -> str:
    """Why a version may not be ready, in a sentence; empty when it may. The versions are its own
    and that of what serves."""
    own, serving = versions
    if counts.failed > allowed.errors * counts.played:
        return (
            f"version {own} fails {counts.failed} of {counts.played} of the newest requests, which"
            f" version {serving} answered; spec.rollout.rehearsal.errors allows"
            f" {_share(allowed.errors)}: {'; '.join(counts.faults)}"
        )
    if is_slow(counts, allowed):
        return (
            f"version {own} takes {_milliseconds(counts.seconds_now)} for one of the newest"
            f" requests, and version {serving} {_milliseconds(counts.seconds_before)} (medians of"
            f" {counts.played}): {counts.ratio:.2g} times as long, and"
            f" spec.rollout.rehearsal.slower is {allowed.slower:g}"
        )
    if counts.compared and counts.equal < allowed.agreement * counts.compared:
        return (
            f"version {own} answers {counts.equal} of {counts.compared} of the newest requests as"
            f" version {serving} did; spec.rollout.rehearsal.agreement wants"
            f" {_share(allowed.agreement)}"
        )
    return ""


def is_slow(counts: Counts, allowed: Allowed) -> bool:
    """Whether requests take too much longer, by more than a machine's whims."""
    longer = counts.seconds_now - counts.seconds_before
    return bool(
        counts.seconds_before and counts.ratio >= allowed.slower and longer >= FLOOR_SECONDS
    )


def _medians(played: Sequence[Played]) -> tuple[float, float]:
    """Of the same requests, before and now."""
    timed = [each for each in played if each.seconds_now is not None and each.seconds_before > 0]
    alone = [each for each in timed if each.alone]
    if len(alone) >= LEAST_ALONE:
        timed = alone
    if len(timed) < LEAST_TIMED:
        return 0.0, 0.0
    return (
        median(each.seconds_before for each in timed),
        median(each.seconds_now for each in timed if each.seconds_now is not None),
    )


def _share(share: float) -> str:
    return f"{share:.2%}".replace(".00%", "%")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
