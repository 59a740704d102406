"""The picture: four panels of bars, one line for each server. Pure.

Requests per second are on a logarithmic scale: between the slowest and the fastest lies a factor
of a hundred. Start and memory are linear.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.serving.report import Report
from bench.serving.run import Result
from pennant_dev.demo import svg

NAMES, PANEL, GAP, RIGHT = 262, 200, 30, 20
TOP, LINE, BAR, BOTTOM = 104, 30, 16, 30
LABEL = 66
"""Room right of the longest bar for its figure."""
OURS, THEIRS, CEILING = "#2b6cb0", "#a0aec0", "#dde3ea"
INK, SOFT = "#222222", "#666666"


@dataclass(frozen=True)
class Bar:
    """One figure; no value where it was not measured."""

    value: float | None
    label: str


@dataclass(frozen=True)
class Panel:
    """One column of bars."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    log: bool = False

    def width(self, value: float) -> float:
        """Pixels for a value; the largest fills the panel."""
        known = [bar.value for bar in self.bars if bar.value]
        if not value:
            return 0
        if not self.log:
            return value / max(known) * (PANEL - LABEL)
        low, high = math.floor(math.log10(min(known))), math.log10(max(known))
        return (math.log10(value) - low) / max(high - low, 0.1) * (PANEL - LABEL)


def draw(report: Report) -> str:
    """The whole picture."""
    panels = [*_rates(report), _starts(report.results), _weights(report.results)]
    width = NAMES + len(panels) * (PANEL + GAP) - GAP + RIGHT
    height = TOP + len(report.results) * LINE + BOTTOM
    shapes = [*_heading(report), *_names(report.results)]
    for place, panel in enumerate(panels):
        shapes += _panel(panel, NAMES + place * (PANEL + GAP), report.results)
    note = (f"{report.setting.date}. {report.setting.machine}. "
            f"{report.failed} requests failed or were answered wrongly.")  # fmt: skip
    shapes.append(svg.text(20, height - 12, note, size=11, colour=SOFT))
    return svg.document(width, height, "Requests per second, start and memory by server", shapes)


def _heading(report: Report) -> Iterator[str]:
    yield svg.bold(svg.text(20, 32, "The same model, one core, one server after the other",
                            size=18, colour=INK))  # fmt: skip
    how = f"StandardScaler + LogisticRegression, 20 features, {report.connections} connections"
    yield svg.text(20, 52, how, size=12, colour=SOFT)


def _names(results: Iterable[Result]) -> Iterator[str]:
    for place, result in enumerate(results):
        name = svg.text(20, _middle(place), result.name, size=12, colour=INK)
        yield name if result.against else svg.bold(name)


def _panel(panel: Panel, left: float, results: Iterable[Result]) -> Iterator[str]:
    yield svg.bold(svg.text(left, TOP - 28, panel.title, size=12, colour=INK))
    yield svg.text(left, TOP - 13, panel.unit, size=11, colour=SOFT)
    for place, (bar, result) in enumerate(zip(panel.bars, results, strict=True)):
        if bar.value is None:
            yield svg.text(left, _middle(place), "not measured", size=11, colour=SOFT)
            continue
        width = panel.width(bar.value)
        top = TOP + place * LINE + (LINE - BAR) / 2
        yield svg.rect(left, top, width, BAR, _colour(result), round_=2)
        yield svg.text(left + width + 6, _middle(place), bar.label, size=11, colour=INK)


def _rates(report: Report) -> Iterator[Panel]:
    for rows in report.plan.rows:
        bars = []
        for result in report.results:
            found = result.at(rows, report.connections)
            bars.append(Bar(found.rate, f"{found.rate:,.0f}") if found else Bar(None, ""))
        title = "1 row a request" if rows == 1 else f"{rows} rows a request"
        yield Panel(title, "requests per second, log scale", tuple(bars), log=True)


def _starts(results: Iterable[Result]) -> Panel:
    bars = tuple(Bar(r.start, f"{r.start:.1f} s" if r.start else "") for r in results)
    return Panel("Start", "process start to first right answer", bars)


def _weights(results: Iterable[Result]) -> Panel:
    bars = tuple(Bar(r.pss, f"{r.pss:.0f} MiB" if r.pss else "") for r in results)
    return Panel("Memory", "PSS of all its processes after the load", bars)


def _colour(result: Result) -> str:
    if result.against is None:
        return OURS
    return THEIRS if result.checked else CEILING


def _middle(place: int) -> float:
    return TOP + place * LINE + LINE / 2 + 4
