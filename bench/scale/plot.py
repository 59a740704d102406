"""The picture: the operator's memory, and how soon an alias that moved is followed. Pure.

Seconds are on a logarithmic scale: a webhook and a poll are a factor of a hundred apart. Each line
goes from the median to the 99th percentile.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from bench.percentile import percentile
from bench.scale.budgets import HOOK_SECONDS, POLLED_SECONDS, is_timed, memory_of
from bench.scale.moves import Moves
from bench.scale.run import Figures
from pennant_dev.demo import svg

LEFT, MEMORY, GAP, NAMES, SECONDS, RIGHT = 150, 250, 40, 190, 420, 30
TOP, LINE, SIZE, BOTTOM = 110, 26, 92, 60
WIDTH = LEFT + MEMORY + GAP + NAMES + SECONDS + RIGHT
LOWEST_POWER, HIGHEST_POWER = -2, 2  # powers of ten: 0.01 to 100 s
OURS, HOOKED, POLLS = "#2b6cb0", "#2b6cb0", "#a0aec0"
INK, SOFT, GRID, LIMIT = "#222222", "#666666", "#e3e6ea", "#c53030"
KINDS = {"single": "one at a time", "at_once": "100 at once", "shared": "one that many follow"}


def draw(fleets: Sequence[Figures], note: str) -> str:
    """The whole picture, one row a fleet size."""
    height = TOP + len(fleets) * SIZE + BOTTOM
    shapes = [*_heading(), *_axis(height - BOTTOM)]
    most_memory = max(max(f.idle.memory, memory_of(f) or 0) for f in fleets)
    for place, figures in enumerate(fleets):
        top = TOP + place * SIZE
        shapes.append(svg.line((20, top - 6), (WIDTH - RIGHT, top - 6), GRID))
        name = svg.text(20, top + SIZE / 2, f"{figures.deployments:,}", size=16, colour=INK)
        shapes += [svg.bold(name), *_memory(figures, top, most_memory), *_moves(figures, top)]
    shapes.append(svg.text(20, height - 14, note, size=11, colour=SOFT))
    return svg.document(WIDTH, height, "Memory and alias moves by fleet size", shapes)


def _heading() -> Iterator[str]:
    yield svg.bold(svg.text(20, 32, "One operator, many ModelDeployments", size=18, colour=INK))
    yield svg.bold(svg.text(20, 78, "Fleet", size=12, colour=INK))
    yield svg.bold(svg.text(LEFT, 78, "Memory while idle, MiB", size=12, colour=INK))
    left = LEFT + MEMORY + GAP
    words = "From the alias that moves to the candidate's Deployment, p50 to p99"
    yield svg.bold(svg.text(left, 60, words, size=12, colour=INK))
    for x, colour, name in ((left, HOOKED, "with the webhook"), (left + 150, POLLS, "by the poll")):
        yield svg.rect(x, 70, 18, 8, colour, round_=2)
        yield svg.text(x + 24, 78, name, size=12, colour=SOFT)
    yield svg.line((left + 262, 74), (left + 280, 74), LIMIT, dashed=True)
    yield svg.text(left + 286, 78, "budget, one at a time", size=12, colour=SOFT)


def _axis(bottom: float) -> Iterator[str]:
    for power in range(LOWEST_POWER, HIGHEST_POWER + 1):
        x = _at(10.0**power)
        yield svg.line((x, TOP - 14), (x, bottom), GRID)
        yield svg.text(x, bottom + 16, f"{10.0**power:g} s", size=11, colour=SOFT, anchor="middle")


def _memory(figures: Figures, top: float, most_memory: float) -> Iterator[str]:
    room, value, budget = MEMORY - 50, figures.idle.memory, memory_of(figures)
    length = value / most_memory * room
    yield svg.rect(LEFT, top + SIZE / 2 - 14, length, 20, OURS, round_=2)
    yield svg.text(LEFT + length + 6, top + SIZE / 2, f"{value:.0f}", colour=INK)
    if budget is not None:
        x = LEFT + budget / most_memory * room
        yield svg.line((x, top + 8), (x, top + SIZE - 30), LIMIT, dashed=True)
        yield svg.text(x, top + SIZE - 16, f"{budget}", size=11, colour=LIMIT, anchor="middle")


def _moves(figures: Figures, top: float) -> Iterator[str]:
    left = LEFT + MEMORY + GAP
    for place, (kind, name) in enumerate(KINDS.items()):
        y = top + place * LINE + 14
        yield svg.text(left, y + 4, name, size=12, colour=SOFT)
        yield from _range(figures.polled, kind, y + 4, POLLS)
        yield from _range(figures.hooked, kind, y - 4, HOOKED)
    for seconds in (HOOK_SECONDS, POLLED_SECONDS) if is_timed(figures) else ():
        yield svg.line((_at(seconds), top), (_at(seconds), top + LINE), LIMIT, dashed=True)


def _range(moves: Moves, kind: str, y: float, colour: str) -> Iterable[str]:
    took: tuple[float, ...] = getattr(moves, kind)
    low, high = _at(percentile(took, 0.5)), _at(percentile(took, 0.99))
    return [svg.rect(low - 3, y - 3, high - low + 6, 6, colour, round_=3)]


def _at(seconds: float) -> float:
    """Where so many seconds are."""
    share = (math.log10(max(seconds, 10.0**LOWEST_POWER)) - LOWEST_POWER) / (
        HIGHEST_POWER - LOWEST_POWER
    )
    return LEFT + MEMORY + GAP + NAMES + min(share, 1.0) * SECONDS
