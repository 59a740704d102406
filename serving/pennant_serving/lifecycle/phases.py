"""Where a start goes: the seconds of its phases, for one line of the log and for the metrics."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_serving import BEGUN

STAT = Path("/proc/self/stat")
STARTED_FIELD = 21
"""Of proc(5)'s stat, from 0: ticks from the machine's boot to the process's start."""


class Phases:
    """Seconds by phase, in the order of their beginning. Phases may overlap, and be entered again.

    `process` is from the kernel's start of the process to our first line, `import` from there to
    the end of the imports.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._notes: dict[str, str] = {}

    def imported(self) -> None:
        """All is imported that is imported first."""
        since = time.monotonic() - BEGUN
        self.seconds |= {"process": max(0.0, age() - since), "import": since}

    @contextmanager
    def phase(self, name: str) -> Iterator[list[str]]:
        """Measure a phase, and keep what is noted about it."""
        self.seconds.setdefault(name, 0.0)
        started = time.monotonic()
        notes: list[str] = []
        try:
            yield notes
        finally:
            self.seconds[name] += time.monotonic() - started
        if notes:
            self._notes[name] = "; ".join(notes)

    def note(self, name: str, text: str) -> None:
        """Keep what is to be known beside the phases."""
        self._notes[name] = text

    def line(self, event: str) -> str:
        """The line of the log that says what has come about, when, and what it took."""
        facts = {
            "event": event,
            "time": round(time.time(), 3),
            "seconds": round(age(), 3),
            "phases": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
        }
        return json.dumps(facts | ({"notes": self._notes} if self._notes else {}))


def age() -> float:
    """Seconds since the kernel started this process, to about 0.01; on macOS, since our first
    line."""
    if not STAT.exists():
        return time.monotonic() - BEGUN
    # The name of the program, in parentheses, may hold spaces.
    fields = STAT.read_text().rpartition(")")[2].split()
    ticks = int(fields[STARTED_FIELD - 2])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
