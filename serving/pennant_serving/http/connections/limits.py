"""What a client may do for how long, and what becomes of its connection when that is over.

All of it is here, and nothing else is: the connection tells what it sees, and does what it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

JITTER_SHARE = 0.2
"""So that the connections of one client do not all end in the same moment."""
IDLE_SECONDS = 75.0
"""Longer than common proxies keep idle connections, so that it is they who close them."""
SLOWEST_BYTES_PER_SECOND = 16 * 1024
"""That a body must come at, and an answer be read at, beyond the first seconds."""
HEAD_LIMIT_BYTES = 64 * 1024
"""Of a request's head that come after its first packet."""
CROWDED_SHARE = 0.75
"""The share of all places from which on the idle ones leave theirs early."""
BEYOND_SECONDS = 1.0
"""For everything on a connection beyond the limit."""
LEAVING_SECONDS = 2.0
"""For a client to go on with what it sends or reads, when the server is about to end."""
LINGER_SECONDS = 2.0
"""For a client to read an answer after which nothing is read of what it still sends."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Of all connections of a server."""

    max_age: float
    """Seconds, +-20 %, after which a response ends a connection."""
    timeout: float
    """Seconds for a request to arrive, and in which nothing of an answer is read."""
    max_connections: int


@dataclass(frozen=True, slots=True)
class Motion:
    """How far bytes have come that are to arrive, or to be read."""

    seconds: float
    """Since the first of them could."""
    still: float
    """Seconds since any did."""
    moved: int
    """Bytes that did."""


class Pace:
    """Follows bytes in one direction, from `now` on."""

    __slots__ = ("_first", "_latest", "_moved", "_since")

    def __init__(self, now: float, moved: int = 0) -> None:
        self._since = self._latest = now
        self._first = self._moved = moved

    def motion(self, now: float, moved: int) -> Motion:
        """When so many bytes have moved in all, those before the beginning included."""
        if moved > self._moved:
            self._moved, self._latest = moved, now
        return Motion(now - self._since, now - self._latest, moved - self._first)


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be seen of a connection."""

    arriving: Motion | None = None
    """Of a request, unless it is we who do not read."""
    leaving: Motion | None = None
    """Of answers that the client has not taken from us yet."""
    idle: float | None = None
    """Seconds since the last answer, when no request is arriving or being answered."""
    is_beyond: bool = False
    """It has no place."""
    is_crowded: bool = False
    """Places run short."""
    is_draining: bool = False
    is_lingering: bool = False
    """It has had its last answer."""


class Verdict(Enum):
    """What is to be done with a connection."""

    KEEP = "keep"
    TOO_LATE = "answer 408 and close"
    CLOSE = "close"
    CUT = "close, whatever has not been sent"


def allowed_seconds(limits: ConnectionLimits, facts: Facts) -> float:
    """Seconds in which a client must go on with what it sends or reads."""
    if facts.is_beyond:
        return min(limits.timeout, BEYOND_SECONDS)
    return min(limits.timeout, LEAVING_SECONDS) if facts.is_draining else limits.timeout


def verdict(limits: ConnectionLimits, facts: Facts) -> Verdict:
    """What is to be done now."""
    seconds = allowed_seconds(limits, facts)
    if facts.leaving is not None and _is_slow(facts.leaving, seconds):
        return Verdict.CUT
    if facts.arriving is not None and _is_slow(facts.arriving, seconds):
        return Verdict.TOO_LATE
    if facts.idle is not None and facts.idle > _idle_seconds(limits, facts):
        return Verdict.CLOSE
    return Verdict.KEEP


def is_head_too_long(head: int, body: int) -> bool:
    """Whether so many bytes are too many around a body of so many: small chunks have long heads."""
    return head > HEAD_LIMIT_BYTES + 8 * body


def _is_slow(motion: Motion, seconds: float) -> bool:
    """A fast beginning does not buy a rest: something must move all the time."""
    allowed = seconds + motion.moved / SLOWEST_BYTES_PER_SECOND
    return motion.still > seconds or motion.seconds > allowed


def _idle_seconds(limits: ConnectionLimits, facts: Facts) -> float:
    if facts.is_beyond:
        return BEYOND_SECONDS
    if facts.is_lingering:
        return LINGER_SECONDS
    return min(limits.max_age, IDLE_SECONDS) if facts.is_crowded else IDLE_SECONDS
