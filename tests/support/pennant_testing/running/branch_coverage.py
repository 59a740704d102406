"""Branch coverage by package, from coverage's JSON report (`pytest --cov`). Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

DEPTH = 2  # pennant_operator.decide has a row; what is deeper counts to it


class Reached(NamedTuple):
    """Statements and branches of a package together, and how many of them no test reached."""

    there: int = 0
    missed: int = 0

    def and_also(self, summary: Mapping[str, int]) -> Reached:
        """With those of one file."""
        there = summary["num_statements"] + summary["num_branches"]
        missed = summary["missing_lines"] + summary["missing_branches"]
        return Reached(self.there + there, self.missed + missed)

    @property
    def percent(self) -> float:
        """How much was reached."""
        return 100 * (1 - self.missed / self.there) if self.there else 100.0


def by_package(report: Mapping[str, Any]) -> list[str]:
    """A line for each package, and one for all of them."""
    reached: dict[str, Reached] = defaultdict(Reached)
    for file, summary_of in report["files"].items():
        package = package_of(file)
        reached[package] = reached[package].and_also(summary_of["summary"])
    rows = [*sorted(reached.items()), ("all", Reached().and_also(report["totals"]))]
    return [f"{name:30} {each.percent:5.1f} %, {each.missed} of {each.there} not reached"
            for name, each in rows]  # fmt: skip


def package_of(file: str) -> str:
    """`operator/pennant_operator/decide/plan.py` is of `pennant_operator.decide`."""
    return ".".join(PurePath(file).parts[1:-1][:DEPTH])
