"""Times in which nothing new goes out, by cron expressions in a time zone.

An hour that daylight saving leaves out or repeats is treated as Debian's cron does it (cronsim): a
time that the clock jumps over comes at the jump, one that the clock shows twice comes once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pennant_registry.gates.form import Closed

FIELDS = 5
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def closed_until(closed: Closed, now: datetime) -> datetime | None:
    """When the window that `now` (in any time zone) is in ends, in UTC; None outside of one.

    Windows may overlap: then it is the end of the one that began last.
    """
    begun = _last(closed, now)
    if begun is None or begun + closed.duration <= now:
        return None
    return begun + closed.duration


def check(cron: str) -> None:
    """Raises ValueError for what is no expression of five fields."""
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != FIELDS:
        raise ValueError(f"it has {len(cron.split())}")
    try:
        CronSim(cron, _ANY_TIME)
    except CronSimError as error:
        raise ValueError(str(error)) from error


def _last(closed: Closed, now: datetime) -> datetime | None:
    """The newest time of the expression that is not after now, in UTC; None where there is none."""
    from cronsim import CronSim

    zone = ZoneInfo(closed.time_zone)
    # The iterator begins with what is before its start, and times are whole seconds.
    start = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    last = next(CronSim(closed.cron, start.astimezone(zone), reverse=True), None)
    if last is None:
        return None
    # Backwards it passes over what came in the first of the two hours that the clock shows twice.
    for later in CronSim(closed.cron, last):
        if later > start - timedelta(seconds=1):
            break
        last = later
    return last.astimezone(UTC)
