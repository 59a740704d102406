"""Durations as Kubernetes' people write them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# As in the CRDs' rules. Six digits: no sum of such parts is too long for a date.
DURATION = "([0-9]{1,6}([.][0-9]{1,3})?(ms|h|m|s))+"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
MAX_DURATION_LENGTH = 20  # characters, as in the CRDs


def parse_duration(text: str) -> timedelta:
    """A Go-style duration such as `1h30m` or `15s`.

    Raises ValueError for anything else.
    """
    if len(text) > MAX_DURATION_LENGTH or not re.fullmatch(DURATION, text):
        raise ValueError(f"{text!r} is not a duration: write for example 30s, 2m or 1h30m")
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text)))


def format_duration(duration: timedelta) -> str:
    """As a person would write it: 1h30m, 2m, 45s; seconds are the least."""
    seconds = max(int(duration.total_seconds()), 0)
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
