"""The table of a soak, and its place in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"


@dataclass(frozen=True)
class Row:
    """One part of a soak."""

    what: str
    seconds: float
    how_many: str
    violations: Sequence[str] = ()


def table(rows: Sequence[Row]) -> str:
    """As Markdown; each violation is told below."""
    lines = ["| what | how long | how many | violations |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.seconds / 60:.1f} min | {row.how_many} | {len(row.violations)} |"
        for row in rows
    ]
    told = [f"- {row.what}: {each}" for row in rows for each in row.violations]
    return "\n".join([*lines, "", *told]).rstrip()


def write(rows: Sequence[Row], command: str) -> None:
    """Put the table, its date and its command in place of the last ones."""
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    said = f"{datetime.now(UTC):%Y-%m-%d}, `{command}`:"
    PAGE.write_text(f"{before}{BEGIN}\n{said}\n\n{table(rows)}\n{END}{after}")
