"""The figures as the table of docs/scale.md."""

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.scale.moves import percentile
from bench.scale.run import Figures

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def _both(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.99):.2f}" if values else "-"


ROWS: dict[str, Callable[[Figures], str]] = {
    "operator restarted, all steady: every object seen, s": lambda f: f"{f.restart:.1f}",
    "API writes of that restart": lambda f: str(f.restart_writes),
    "memory, MiB (resident)": lambda f: f"{f.idle.memory:.0f}",
    "CPU while idle, of one core": lambda f: f"{100 * f.idle.cpu:.1f} %",
    "API reads a minute while idle (watches not counted)": lambda f: f"{f.idle.reads:.1f}",
    "API writes in two idle minutes": lambda f: str(f.idle.writes),
    "requests to MLflow a minute while idle": lambda f: f"{f.idle.polls:.1f}",
    "alias moved -> candidate's Deployment applied, one at a time, p50 / p99 s": (
        lambda f: _both(f.single)
    ),
    "the same, 100 aliases at once, p50 / p99 s": lambda f: _both(f.at_once),
    "the same, one alias that many follow, p50 / p99 s": lambda f: _both(f.shared),
    "from nothing to all of them Serving, s": lambda f: f"{f.rollout:.0f}",
}


def table(found: Sequence[Figures]) -> str:
    """A Markdown table, one column a fleet size."""
    head = ["ModelDeployments", *(f"{f.deployments:,}" for f in found)]
    lines = [head, ["---", *("---:" for _ in found)]]
    lines += [[name, *map(cell, found)] for name, cell in ROWS.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(found: Sequence[Figures], sizes: Sequence[int]) -> None:
    """Put the table between the marks of the page, with the date and the command."""
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    made = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, "
        f'`make bench-scale SIZES="{" ".join(map(str, sizes))}"`'
    )
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n\n{table(found)}\n{END}{after}")
