"""How many processors this process may use: those that it may run on, and its container's limit."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def available(cgroups: Path = CGROUPS) -> int:
    """Whole processors, at least one; a limit of 1.5 needs two threads to be used up."""
    limit = _limit(cgroups)
    present = _present()
    return present if limit is None else max(1, min(present, math.ceil(limit)))


def _present() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def _limit(cgroups: Path) -> float | None:
    """The quota of the container's control group, in processors; None without one."""
    try:
        quota, period = (cgroups / "cpu.max").read_text().split()
    except (OSError, ValueError):  # the first version of cgroups
        try:
            quota = (cgroups / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroups / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() else None
