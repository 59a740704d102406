"""The request that is arriving on a connection, for the limits."""

from __future__ import annotations

from dataclasses import replace

from pennant_serving.http.connections.limits import HEAD_LIMIT_BYTES, Motion, Pace, is_head_too_long


class Refused(Exception):  # noqa: N818 - it is one
    """What has arrived is no request that could be answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Arriving:
    """How much of it has come, and since when."""

    __slots__ = ("_head", "_pace", "is_on", "received", "since")

    def __init__(self, now: float) -> None:
        self.is_on = False
        self.since = now
        self.received = 0
        """Bytes of its body."""
        self._head = 0
        self._pace: Pace | None = None
        """Made when somebody asks: most requests arrive sooner."""

    def begin(self, now: float) -> None:
        self.is_on, self.since, self.received = True, now, 0
        self._head, self._pace = 0, None

    def more(self, size: int) -> None:
        """A packet of which all belongs to it. Raises Refused."""
        self._head += size
        if is_head_too_long(self._head, self.received):
            raise Refused(431, f"more than {HEAD_LIMIT_BYTES} bytes of headers")

    def restart(self, now: float) -> None:
        """Count from now on."""
        self._pace = Pace(now, self.received)

    def motion(self, now: float, *, is_answered: bool) -> Motion:
        """What comes after the answer is for nobody, and buys no time."""
        if self._pace is None:
            self._pace = Pace(self.since)
        motion = self._pace.motion(now, self.received)
        return replace(motion, moved=0) if is_answered else motion
