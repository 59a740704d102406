"""What the operator costs as a process."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of one process, now."""

    memory: float
    """Resident, MiB."""
    cpu: float
    """Seconds of both kinds since it started."""


def usage(pid: int) -> Usage:
    """From /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Usage(int(resident.split()[1]) / 1024, (int(stat[11]) + int(stat[12])) / TICKS)
