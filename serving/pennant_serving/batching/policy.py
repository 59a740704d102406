"""When the next batch may start. Pure: numbers in, a number out."""

from __future__ import annotations

from dataclasses import dataclass

WAITING_REQUEST_LIMIT = 2048
"""Requests that may wait; the next one is refused."""
WAITING_BATCH_LIMIT = 64
"""Full batches' worth of rows that may wait, because rows are what takes memory and time."""
LONG_BATCH_SECONDS = 0.01
"""Seconds. A batch that takes longer does not hold up those who wait for the next one: they get a
thread of their own, so that a slow model uses all of its threads and a huge request only one."""


AUTO, ROWS = "Auto", "Rows"
MODES = (AUTO, ROWS)
"""Who says that a model answers each row by itself: what is known of the model, or a person."""


@dataclass(frozen=True)
class BatchLimits:
    """How requests are put together."""

    max_rows: int = 1024
    """Rows in a batch, at most; 1 means that nothing is joined."""
    max_delay: float = 0.0
    """Seconds that a request waits for others while nothing runs."""
    timeout: float = 30.0
    """Seconds from a request's arrival to its answer, at most."""
    mode: str = AUTO
    """One of MODES."""


@dataclass(frozen=True)
class Situation:
    """What the decision depends on."""

    rows: int
    """That wait."""
    waited: float
    """Seconds, the first of them."""
    running: int
    """Batches."""
    youngest: float
    """Seconds since the latest of these began."""


def pause(now: Situation, limits: BatchLimits, threads: int, *, joins: bool) -> float | None:
    """Seconds until the next batch may start: 0 is now, None is when another one ends."""
    if now.running >= threads:
        return None
    if not joins or now.rows >= limits.max_rows:
        return 0.0
    if now.running:
        return max(0.0, LONG_BATCH_SECONDS - now.youngest)
    return max(0.0, limits.max_delay - now.waited)


def has_room(requests: int, rows: int, more: int, limits: BatchLimits) -> bool:
    """Whether a request of `more` rows may join the line. An empty line takes any."""
    most = WAITING_BATCH_LIMIT * max(limits.max_rows, WAITING_REQUEST_LIMIT)
    return not requests or (requests < WAITING_REQUEST_LIMIT and rows + more <= most)
