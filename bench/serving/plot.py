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

NAMES, RIGHT, GAP = 230, 20, 24
WIDE, NARROW = 280, 170
TOP, LINE, BAR, BOTTOM = 104, 30, 16, 52
LABEL = {WIDE: 112, NARROW: 62}
"""Room right of the longest bar for its figure, by the width of a panel."""
OURS, THEIRS, CEILING = "#2b6cb0", "#a0aec0", "#dde3ea"
INK, SOFT, GRID = "#222222", "#666666", "#e3e6ea"


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

    @property
    def width(self) -> int:
        """Of the panel, in pixels."""
        return WIDE if self.log else NARROW

    def length(self, value: float) -> float:
        """Pixels for a value; the largest fills the panel."""
        room, known = self.width - LABEL[self.width], self._known
        if not value:
            return 0
        if not self.log:
            return value / max(known) * room
        low, high = math.floor(math.log10(min(known))), math.log10(max(known))
        return (math.log10(value) - low) / max(high - low, 0.1) * room

    @property
    def ticks(self) -> list[int]:
        """The powers of ten on a logarithmic scale."""
        if not self.log or not self._known:
            return []
        low, high = (math.floor(math.log10(end(self._known))) for end in (min, max))
        return [10**power for power in range(low, high + 1)]

    @property
    def _known(self) -> list[float]:
        return [bar.value for bar in self.bars if bar.value]


def draw(report: Report) -> str:
    """The whole picture."""
    panels = [*_rates(report), _starts(report.results), _weights(report.results)]
    width = NAMES + sum(panel.width + GAP for panel in panels) - GAP + RIGHT
    height = TOP + len(report.results) * LINE + BOTTOM
    shapes, left = [*_heading(report), *_names(report.results)], NAMES
    for panel in panels:
        shapes += _panel(panel, left, report.results)
        left += panel.width + GAP
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
    yield from _grid(panel, left, TOP + len(panel.bars) * LINE)
    for place, (bar, result) in enumerate(zip(panel.bars, results, strict=True)):
        if bar.value is None:
            yield svg.text(left, _middle(place), "not measured", size=11, colour=SOFT)
            continue
        width = panel.length(bar.value)
        top = TOP + place * LINE + (LINE - BAR) / 2
        yield svg.rect(left, top, width, BAR, _colour(result), round_=2)
        yield svg.text(left + width + 6, _middle(place), bar.label, size=11, colour=INK)


def _grid(panel: Panel, left: float, bottom: float) -> Iterator[str]:
    for tick in panel.ticks:
        x = left + panel.length(tick)
        yield svg.line((x, TOP), (x, bottom), GRID)
        yield svg.text(x, bottom + 12, f"{tick:,}", size=10, colour=SOFT, anchor="middle")


def _rates(report: Report) -> Iterator[Panel]:
    for rows in report.plan.rows:
        title = "1 row a request" if rows == 1 else f"{rows} rows a request"
        bars = tuple(_rate(report, result, rows) for result in report.results)
        yield Panel(title, "requests per second, log scale", bars, log=True)


def _rate(report: Report, result: Result, rows: int) -> Bar:
    load = result.at(rows, report.connections)
    if load is None:
        return Bar(None, "")
    times = report.ratio(result, rows, report.connections)
    less = f" (Pennant {times:.3g}x)" if times and result.checked else ""
    return Bar(load.rate, f"{load.rate:,.0f}{less}")


def _starts(results: Iterable[Result]) -> Panel:
    bars = tuple(Bar(r.start, f"{r.start:.1f} s" if r.start else "") for r in results)
    return Panel("Start", "until the first right answer", bars)


def _weights(results: Iterable[Result]) -> Panel:
    weights = [result.loaded.pss if result.loaded else None for result in results]
    bars = tuple(Bar(pss, f"{pss:.0f} MiB" if pss else "") for pss in weights)
    return Panel("Memory", "after the load, PSS", bars)


def _colour(result: Result) -> str:
    if result.against is None:
        return OURS
    return THEIRS if result.checked else CEILING


def _middle(place: int) -> float:
    return TOP + place * LINE + LINE / 2 + 4
