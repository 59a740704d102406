"""The ten slowest things of each tier, for the end of a run of many. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from pathlib import PurePath
from typing import NamedTuple

COUNT = 10


class Took(NamedTuple):
    """Seconds of one phase (setup, call, teardown) of one test."""

    seconds: float
    test: str
    phase: str

    @property
    def tier(self) -> str:
        """The folder under tests/."""
        return PurePath(self.test).parts[1]


def slowest(all_of_them: Iterable[Took]) -> list[str]:
    """Lines: a tier with its seconds in all, then its slowest, worst first; none for few tests."""
    lines = []
    for tier, group in groupby(sorted(all_of_them, key=attrgetter("tier")), attrgetter("tier")):
        took = sorted(group, reverse=True)
        if len({each.test for each in took}) <= COUNT:
            continue
        lines.append(f"{tier}: {sum(each.seconds for each in took):.0f} s")
        lines += [f"  {each.seconds:6.1f} s {each.phase:8} {each.test}" for each in took[:COUNT]]
    return lines
