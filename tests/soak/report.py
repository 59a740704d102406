"""The table of a soak, and its place in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"


HEAD = ("what", "date", "`SOAK_ARGS`", "how long", "how many", "violations")


@dataclass(frozen=True)
class Row:
    """One part of a soak; `options` ask for it again."""

    what: str
    options: str
    seconds: float
    how_many: str
    violations: Sequence[str] = ()

    def line(self) -> str:
        cells = (
            self.what,
            f"{datetime.now(UTC):%Y-%m-%d}",
            f"`{self.options}`",
            f"{self.seconds / 60:.1f} min",
            self.how_many,
            str(len(self.violations)),
        )
        return f"| {' | '.join(cells)} |"


def write(rows: Sequence[Row]) -> None:
    """Each row in place of the last one of its part; what was not run keeps its own."""
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    held, after = rest.split(END)
    parts = {line.split(" | ")[0]: line for line in held.strip().splitlines()[2:]}
    parts |= {f"| {row.what}": row.line() for row in rows}
    table = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|", *parts.values()]
    PAGE.write_text("\n".join([before + BEGIN, *table, END]) + after)
