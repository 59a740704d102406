"""The picture of a demo: what the alias pointed at, and who answered the requests. Pure.

From top to bottom: the acts, a lane for the alias, a lane for MLflow, and requests per second
stacked by the version that answered, with a red cross for each second in which one failed.
"""

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsreco.loadgen_report import versions_in_order
from pennant_dev.demo import svg
from pennant_dev.demo.story import Story

WIDTH, HEIGHT = 960, 400
LEFT, RIGHT, BOTTOM = 76, 16, 62
ACTS, ALIAS, MLFLOW, PLOT = 52, 92, 114, 142
COLOURS = ("#4477aa", "#ee9944", "#aa4499", "#999933", "#44aa88", "#885522", "#cc6677")
FAILED, GREY, INK = "#cc0000", "#bbbbbb", "#222222"
CHARACTER = 6.0
"""Width of a character of the small text, in pixels; good enough to wrap by."""


@dataclass(frozen=True)
class Scale:
    """Where times and rates are on the paper."""

    begun: float
    ended: float
    top_rate: float

    def x(self, time: float) -> float:
        """Pixels from the left for a time (Unix seconds)."""
        share = (time - self.begun) / (self.ended - self.begun)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, rate: float) -> float:
        """Pixels from the top for requests per second."""
        return HEIGHT - BOTTOM - rate / self.top_rate * (HEIGHT - BOTTOM - PLOT)


def draw(story: Story) -> str:
    """The whole picture; a story without requests gives empty axes."""
    seconds = per_second(story)
    scale = _scale(seconds)
    names = sorted(story.markers)
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    shapes = [
        *_heading(story),
        *_acts(story, scale),
        *_alias(story, scale, colours),
        *_mlflow(story, scale),
        *_axes(scale),
        *_areas(seconds, scale, colours),
        *_failures(seconds, scale),
        *_legend(
            {name: colours[name] for name in versions_in_order(story.rows) if name in colours}
        ),
    ]
    return svg.document(WIDTH, HEIGHT, "Requests per second by version over time", shapes)


def per_second(story: Story) -> dict[int, Counter[str]]:
    """Whole seconds (Unix) to answers by version; failed ones under the empty name.

    Seconds in which nobody was answered are among them.
    """
    counted: dict[int, Counter[str]] = {}
    for row in story.rows:
        name = "" if row.failed else row.version
        counted.setdefault(math.floor(row.finished), Counter())[name] += 1
    times = sorted(counted)[1:-1]  # the first and last second are not whole ones
    if not times:
        return {}
    return {time: counted.get(time, Counter()) for time in range(times[0], times[-1] + 1)}


def alias_spans(story: Story, end: float) -> Iterator[tuple[float, float, str]]:
    """From, to, version for as long as the alias pointed at each."""
    moves = [act.move for act in story.acts if act.move]
    if not moves:
        return
    begun = story.acts[0].begun
    yield begun, moves[0].at, moves[0].old
    ends = [*(move.at for move in moves[1:]), end]
    for move, until in zip(moves, ends, strict=True):
        yield move.at, until, move.new


def _scale(seconds: dict[int, Counter[str]]) -> Scale:
    begun = min(seconds, default=0)
    ended = max(seconds, default=begun) + 1
    top_rate = max((counts.total() for counts in seconds.values()), default=0)
    return Scale(begun, ended, top_rate=max(20, math.ceil(top_rate * 1.1 / 20) * 20))


def _heading(story: Story) -> list[str]:
    made, failed = len(story.rows), len(story.failed)
    summary = f"{made:,} requests, {story.failed_in_words(story.rows)} failed"
    return [
        svg.bold(svg.text(LEFT, 26, story.title, size=17, colour=INK)),
        svg.text(WIDTH - RIGHT, 26, summary, size=14, anchor="end",
                 colour=FAILED if failed else INK),
    ]  # fmt: skip


def _acts(story: Story, scale: Scale) -> Iterator[str]:
    for act in story.acts:
        left, right = (max(LEFT, scale.x(time)) for time in (act.begun, act.ended))
        yield svg.line((left, ACTS - 12), (left, HEIGHT - BOTTOM), GREY, dashed=True)
        room = max(8, int((right - left - 8) / CHARACTER))
        for number, words in enumerate(textwrap.wrap(act.title, room)[:2]):
            yield svg.text(left + 5, ACTS + 14 * number, words, size=12, colour=INK)


def _alias(story: Story, scale: Scale, colours: dict[str, str]) -> Iterator[str]:
    yield svg.text(LEFT - 8, ALIAS + 12, "alias", anchor="end")
    for begun, ended, name in alias_spans(story, scale.ended):
        left, right = max(LEFT, scale.x(begun)), scale.x(ended)
        yield svg.rect(left, ALIAS, right - left - 1, 16, colours.get(name, GREY), round_=3)
        yield svg.bold(svg.text(left + 6, ALIAS + 12, f"v{name}", colour="#ffffff"))


def _mlflow(story: Story, scale: Scale) -> Iterator[str]:
    yield svg.text(LEFT - 8, MLFLOW + 12, "MLflow", anchor="end")
    yield svg.rect(LEFT, MLFLOW, WIDTH - LEFT - RIGHT, 16, "#e4e8ec", round_=3)
    if story.outage:
        left, right = (scale.x(time) for time in story.outage)
        yield svg.rect(left, MLFLOW, right - left, 16, "#555555", round_=3)
        yield svg.bold(svg.text(left + 6, MLFLOW + 12, "down", colour="#ffffff"))


def _axes(scale: Scale) -> Iterator[str]:
    for rate in range(0, int(scale.top_rate) + 1, max(5, int(scale.top_rate / 4))):
        y = scale.y(rate)
        yield svg.line((LEFT, y), (WIDTH - RIGHT, y), "#e8e8e8" if rate else GREY)
        yield svg.text(LEFT - 8, y + 4, str(rate), anchor="end")
    for seconds in range(0, int(scale.ended - scale.begun) + 1, 20):
        x = scale.x(scale.begun + seconds)
        yield svg.line((x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 4), GREY)
        yield svg.text(x, HEIGHT - BOTTOM + 17, f"{seconds} s", anchor="middle")
    middle = (PLOT + HEIGHT - BOTTOM) / 2
    label = svg.text(0, 0, "requests per second", anchor="middle")
    yield f"<g transform='translate(24 {middle:.0f}) rotate(-90)'>{label}</g>"


def _areas(
    seconds: dict[int, Counter[str]], scale: Scale, colours: dict[str, str]
) -> Iterator[str]:
    below = dict.fromkeys(seconds, 0)
    for name, colour in colours.items():
        above = {time: below[time] + counts[name] for time, counts in seconds.items()}
        if above != below:
            yield svg.area([*_steps(above, scale), *reversed([*_steps(below, scale)])], colour)
        below = above


def _steps(heights: dict[int, int], scale: Scale) -> Iterator[tuple[float, float]]:
    for time, height in heights.items():
        yield scale.x(time), scale.y(height)
        yield scale.x(time + 1), scale.y(height)


def _failures(seconds: dict[int, Counter[str]], scale: Scale) -> Iterator[str]:
    for time, counts in seconds.items():
        if counts[""]:
            yield svg.cross(scale.x(time + 0.5), scale.y(counts.total()) - 8, 4, FAILED)


def _legend(colours: dict[str, str]) -> Iterable[str]:
    y, x = HEIGHT - 14, float(LEFT)
    for name, colour in colours.items():
        yield svg.rect(x, y - 10, 12, 12, colour, round_=2)
        yield svg.text(x + 18, y, f"answered by v{name}")
        x += 128
    yield svg.cross(x + 6, y - 4, 4, FAILED)
    yield svg.text(x + 18, y, "a request failed")
