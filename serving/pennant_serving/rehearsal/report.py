"""How a rehearsal that lets a version be ready is reported. Pure."""

from __future__ import annotations

from pennant_serving.lifecycle.rehearsed import RehearsalOutcome, Rehearsed
from pennant_serving.rehearsal.asking import Gathered
from pennant_serving.rehearsal.judging import Counts

NO_TOKEN = "PENNANT_REHEARSAL_TOKEN is empty"  # noqa: S105 - says that there is none


def late(address: str) -> str:
    """Why there are no samples."""
    return f"{address} took too long"


def had_traffic() -> Rehearsed:
    """For a revision that the operator knows."""
    return Rehearsed(RehearsalOutcome.SKIPPED, "this revision has had the traffic before")


def same_revision() -> Rehearsed:
    """For another pod of what serves."""
    return Rehearsed(RehearsalOutcome.SKIPPED, "what serves is this revision")


def no_samples(reason: object) -> Rehearsed:
    """When nobody gives any."""
    return Rehearsed(RehearsalOutcome.NO_SAMPLES, f"there is nothing to play: {reason}")


def of_counts(counts: Counts, given: Gathered, seconds: float) -> Rehearsed:
    """When something was played, or there was nothing, or no time."""
    times = f", {counts.ratio:.2g} times as long" if counts.ratio else ""
    equal = f", {counts.equal} of {counts.compared} answers equal" if counts.compared else ""
    message = (
        f"{counts.played} requests that version {given.version} answered, of {given.answered}"
        f" since it started: {counts.failed} fail{times}{equal}"
    )
    if not counts.played:
        message = f"there is nothing to play: version {given.version} has answered nothing yet"
        if given.samples:
            message = f"none of {len(given.samples)} requests could be played in time"
    return Rehearsed(
        RehearsalOutcome.PASSED if counts.played else RehearsalOutcome.NO_SAMPLES,
        message,
        against=given.version,
        answered=given.answered,
        remembered=given.remembered,
        given=len(given.samples),
        played=counts.played,
        failed=counts.failed,
        equal=counts.equal,
        compared=counts.compared,
        seconds_before=round(counts.seconds_before, 6),
        seconds_now=round(counts.seconds_now, 6),
        seconds=round(seconds, 3),
    )
