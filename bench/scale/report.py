"""The figures as docs/scale.md tells them: the table, the picture, and the numbers themselves."""

import datetime
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import msgspec

from bench.percentile import percentile
from bench.scale import plot
from bench.scale.budgets import HOOK_SECONDS, POLLED_SECONDS, is_timed, memory_of
from bench.scale.run import Figures
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import eprint

PAGE = REPOSITORY / "docs" / "scale.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


@dataclass(frozen=True)
class Setting:
    """When, where and how."""

    date: str
    machine: str
    command: str


@dataclass(frozen=True)
class Measured:
    """One fleet size, and the run that measured it."""

    setting: Setting
    figures: Figures

    @property
    def size(self) -> int:
        """ModelDeployments."""
        return self.figures.deployments


def setting(sizes: Sequence[int]) -> Setting:
    """Of a run that is made here and now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Setting(
        date=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}",
        command=f'make bench-scale SIZES="{" ".join(map(str, sizes))}"',
    )


def publish(new: Measured) -> None:
    """Put it between the marks of the page, with the picture and the numbers beside it.

    Sizes that were measured before stay until they are measured again.
    """
    numbers = PAGE.with_suffix(".json")
    before = msgspec.json.decode(numbers.read_bytes(), type=list[Measured])
    measured = sorted([m for m in before if m.size != new.size] + [new], key=lambda m: m.size)
    figures = [each.figures for each in measured]
    rows = table(figures)
    eprint(rows)
    head, rest = PAGE.read_text().split(BEGIN)
    how = "\n".join(f"- {run}" for run in origins(measured))
    shown = "![Memory and alias moves by fleet size](scale.svg)"
    PAGE.write_text(f"{head}{BEGIN}\n{how}\n\n{shown}\n\n{rows}\n{END}{rest.split(END)[1]}")
    note = "; ".join({f"{m.setting.date}, {m.setting.machine}": None for m in measured})
    PAGE.with_suffix(".svg").write_text(plot.draw(figures, note))
    numbers.write_text(json.dumps([asdict(each) for each in measured], indent=1) + "\n")


def origins(measured: Sequence[Measured]) -> list[str]:
    """Which sizes come from which run."""
    sizes: dict[Setting, list[str]] = {}
    for each in measured:
        sizes.setdefault(each.setting, []).append(f"{each.size:,}")
    return [
        f"{' and '.join(those)}: {run.date}, {run.machine}, `{run.command}`"
        for run, those in sizes.items()
    ]


def table(fleets: Sequence[Figures]) -> str:
    """A Markdown table, one column a fleet size."""
    head = ["", *(f"{f.deployments:,}" for f in fleets), "budget"]
    lines = [head, ["---", *("---:" for _ in fleets), "---"]]
    lines += [[row.name, *map(row.cell, fleets), row.budget] for row in ROWS]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@dataclass(frozen=True)
class Row:
    """One line; `is_within` says of a size with a budget whether it is kept."""

    name: str
    value: Callable[[Figures], str]
    budget: str = ""
    is_within: Callable[[Figures], bool | None] = lambda _: None

    def cell(self, figures: Figures) -> str:
        """The value, and whether the budget is kept where there is one."""
        within = self.is_within(figures)
        mark = "" if within is None else " ✓" if within else " **missed**"
        return f"{self.value(figures)}{mark}"


def _in_memory(figures: Figures) -> bool | None:
    limit = memory_of(figures)
    return None if limit is None else figures.idle.memory <= limit


def _both(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.99):.2f}"


def _on_time(
    seconds: float, of: Callable[[Figures], Sequence[float]]
) -> Callable[[Figures], bool | None]:
    return lambda figures: percentile(of(figures), 0.99) <= seconds if is_timed(figures) else None


ROWS = (
    Row("followers of one model among them", lambda f: str(f.following)),
    Row("**Start**, all steady: every object known, s", lambda f: f"{f.restart.known:.1f}"),
    Row("every ModelDeployment looked at, s", lambda f: f"{f.restart.looked_at:.1f}"),
    Row("API writes of that", lambda f: str(f.restart.writes), "0", lambda f: not f.restart.writes),
    Row(
        "**Idle**: memory, MiB resident",
        lambda f: f"{f.idle.memory:.0f}",
        "150 up to 1,000, 400 up to 5,000",
        _in_memory,
    ),
    Row("most memory in all its life, MiB", lambda f: f"{f.peak:.0f}"),
    Row("CPU, of one core", lambda f: f"{f.idle.cpu:.1%}"),
    Row(
        "API writes in an idle minute",
        lambda f: str(f.idle.writes),
        "0",
        lambda f: not f.idle.writes,
    ),
    Row("API reads a minute (watches not counted)", lambda f: f"{f.idle.reads:.0f}"),
    Row("requests to MLflow a minute", lambda f: f"{f.idle.asked:.0f}"),
    Row("share of the time in which MLflow answers one", lambda f: f"{f.idle.answering:.1%}"),
    Row(
        "**Alias moved, with the webhook**: candidate's Deployment applied, p50 / p99 s",
        lambda f: _both(f.hooked.single),
        "p99 ≤ 1 s up to 1,000",
        _on_time(HOOK_SECONDS, lambda f: f.hooked.single),
    ),
    Row("100 aliases at once", lambda f: _both(f.hooked.at_once)),
    Row("one alias that many follow", lambda f: _both(f.hooked.shared)),
    Row(
        "**Alias moved, noticed by the poll**: the same, p50 / p99 s",
        lambda f: _both(f.polled.single),
        f"p99 ≤ {POLLED_SECONDS:.1f} s up to 1,000",
        _on_time(POLLED_SECONDS, lambda f: f.polled.single),
    ),
    Row("100 aliases at once", lambda f: _both(f.polled.at_once)),
    Row("one alias that many follow", lambda f: _both(f.polled.shared)),
    Row(
        "API writes / reads of one move, to its very end",
        lambda f: f"{f.hooked.writes:.1f} / {f.hooked.reads:.1f}",
    ),
    Row("**From nothing** to all of them Serving, s", lambda f: f"{f.growth.seconds:.0f}"),
    Row(
        "API writes / reads of each",
        lambda f: f"{f.growth.writes:.1f} / {f.growth.reads:.1f}",
    ),
    Row("memory afterwards, MiB resident", lambda f: f"{f.growth.memory:.0f}"),
)
