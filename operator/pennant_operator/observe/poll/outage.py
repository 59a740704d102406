"""How long a registry has not answered, and from when on that is worth telling everybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# that a registry has not answered until its ModelDeployments say so
OUTAGE_REPORT_DELAY = timedelta(minutes=15)
GOOD_POLLS = 2  # in a row, to believe that an outage is over that was reported
# between two polls of a registry in trouble, where pollInterval is not longer
LONGEST_POLL_PAUSE = timedelta(seconds=60)


@dataclass
class Outage:
    """Consecutive failures of one registry."""

    since: datetime | None = None
    reported: bool = False
    failures: int = 0
    _good: int = 0

    def succeeded(self) -> None:
        """A poll was answered in full."""
        self.failures = 0
        self._good += 1
        if not self.reported or self._good >= GOOD_POLLS:
            self.since, self.reported = None, False

    def failed(self, now: datetime) -> None:
        """A poll was not."""
        self.failures += 1
        self._good = 0
        self.since = self.since or now
        self.reported = self.reported or now - self.since >= OUTAGE_REPORT_DELAY

    def pause(self, interval: timedelta, draw: float) -> timedelta:
        """Time until the next poll: longer with each failure, to let the server come up.

        `draw`, from 0 to 1, makes it a tenth shorter or longer: registries are not asked in step.
        """
        longest = max(interval, min(interval * 5, LONGEST_POLL_PAUSE))
        doubled: timedelta = interval * 2 ** min(self.failures, 10)
        return min(longest, doubled) * (0.9 + 0.2 * draw)
