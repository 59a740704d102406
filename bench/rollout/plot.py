"""The picture: a bar for each move, of its parts, and a mark for the last old answer. Pure."""

from collections.abc import Iterable, Iterator
from itertools import count

from bench.rollout.report import TITLES, Report
from bench.rollout.timeline import PARTS, Move
from newsreco.loadgen_report import POOLED
from pennant_dev.demo import svg

WIDTH, LEFT, RIGHT = 980, 24, 30
TOP, BAR, GAP, TITLE = 64, 9, 2, 26
LEGEND_LINE, LEGEND_COLUMN = 18, 460
MOST_LINES = 25  # of seconds
INK, SOFT, GRID, LAST = "#222222", "#666666", "#e3e6ea", "#c53030"
COLOURS = {
    "hook": "#1a365d", "noticed": "#2a4365", "applied": "#2b6cb0", "restarted": "#2b6cb0",
    "scheduled": "#63b3ed", "fetch starts": "#a0aec0", "fetch imported": "#b7791f",
    "fetched": "#ecc94b", "installed": "#dd6b20", "serve starts": "#cbd5e0",
    "started": "#a0aec0", "imported": "#276749",
    "loaded": "#48bb78", "self-tested": "#9ae6b4", "ready": "#d6bcfa", "switched": "#805ad5",
    "answered": "#44337a",
}  # fmt: skip


def draw(report: Report) -> str:
    """The whole picture."""
    measured = [kind for kind in TITLES if report.series(kind)]
    series = [(TITLES[kind].replace("`", ""), report.series(kind)) for kind in measured]
    moves = [move for _, each in series for move in each]
    used = [name for name in PARTS if any(name in move.parts for move in moves)]
    end = max((max(move.total, _last(move) or 0) for move in moves), default=1.0)
    bottom = TOP + sum(TITLE + len(each) * (BAR + GAP) for _, each in series)
    lines = -(-(len(used) + 1) // 2)
    runs = [f"{run.date}. {run.machine}." for run in report.runs]
    height = bottom + 40 + lines * LEGEND_LINE + 10 + len(runs) * LEGEND_LINE
    shapes = [*_heading(), *_grid(end, bottom), *_bars(series, end), *_legend(used, bottom + 44)]
    shapes += [
        svg.text(LEFT, height - 10 - LEGEND_LINE * above, words, size=11)
        for above, words in enumerate(reversed(runs))
    ]
    return svg.document(WIDTH, height, "Seconds from alias to answer, by part", shapes)


def _heading() -> Iterator[str]:
    yield svg.bold(svg.text(LEFT, 28, "From alias to answer", size=17, colour=INK))
    what = "a bar for each move, to the first answer of the new version; two pods, scikit-learn"
    yield svg.text(LEFT, 46, what, size=12, colour=SOFT)


def _grid(end: float, bottom: float) -> Iterator[str]:
    for second in range(0, int(end) + 1, 1 + int(end) // MOST_LINES):
        x = _x(second, end)
        yield svg.line((x, TOP), (x, bottom), GRID)
        yield svg.text(x, bottom + 14, f"{second} s", size=11, colour=SOFT, anchor="middle")


def _bars(series: Iterable[tuple[str, list[Move]]], end: float) -> Iterator[str]:
    top = float(TOP)
    for title, moves in series:
        yield svg.bold(svg.text(LEFT, top + TITLE - 8, title, size=12, colour=INK))
        top += TITLE
        for move in sorted(moves, key=lambda each: each.total):
            yield from _bar(move, top, end)
            top += BAR + GAP


def _bar(move: Move, top: float, end: float) -> Iterator[str]:
    begun = 0.0
    for name, seconds in move.parts.items():
        left = _x(begun, end)
        yield svg.rect(left, top, _x(begun + seconds, end) - left, BAR, COLOURS[name])
        begun += seconds
    last = _last(move)
    if last is not None:
        yield svg.rect(_x(last, end) - 1.5, top, 3, BAR, LAST)


def _legend(used: Iterable[str], top: float) -> Iterator[str]:
    shown = [(COLOURS[name], PARTS[name].replace("`", "")) for name in used]
    shown.append((LAST, "last answer of the old version on a kept connection"))
    for place, (colour, words) in zip(count(), shown, strict=False):
        x = LEFT + LEGEND_COLUMN * (place % 2)
        y = top + LEGEND_LINE * (place // 2)
        yield svg.rect(x, y - 9, 11, 11, colour, round_=2)
        yield svg.text(x + 18, y, words)


def _last(move: Move) -> float | None:
    return move.last_old.get(POOLED)


def _x(seconds: float, end: float) -> float:
    return LEFT + seconds / end * (WIDTH - LEFT - RIGHT)
