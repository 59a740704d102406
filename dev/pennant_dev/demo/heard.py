"""What the operator's log tells of alias moves, with the time of each line. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

SELECTOR = "--selector=app.kubernetes.io/name=pennant-operator"
"""All its replicas: whoever leads writes the lines."""
HOOKED = re.compile(r"^(\S+) .*: a webhook tells of alias (\S+) of model \S+$")
KNOWN = re.compile(r"^(\S+) .*: alias (\S+) of model \S+ is version (\S+), was \S+$")


class Heard(NamedTuple):
    """A line about an alias: a webhook came, or the registry said which version it is now."""

    at: float
    """Unix seconds."""
    alias: str
    version: str = ""
    """Empty for a webhook, which is a hint only."""


def heard(lines: Iterable[str]) -> Iterator[Heard]:
    """From lines of `kubectl logs --timestamps`."""
    for line in lines:
        if match := HOOKED.match(line.rstrip()):
            yield Heard(_unix(match[1]), match[2])
        elif match := KNOWN.match(line.rstrip()):
            yield Heard(_unix(match[1]), match[2], match[3])


def _unix(stamp: str) -> float:
    """Of `2026-11-21T12:00:00.123456789Z`, which has more digits than Python reads."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
