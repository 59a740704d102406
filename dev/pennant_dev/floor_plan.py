"""`python -m pennant_dev.floor_plan`: docs/architecture.toml -> docs/architecture.svg.

What the picture shows is all in the text; here is only how it looks. It carries both its colours,
for light and dark pages. Nothing but the text goes in, so the same text gives the same bytes.
"""

import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from pennant_dev.settings import REPOSITORY

SOURCE = REPOSITORY / "docs" / "architecture.toml"
PICTURE = SOURCE.with_suffix(".svg")
Part = dict[str, Any]
TWO_LINES = 40  # the least height of a room with two lines

COLOURS = {  # on a light page, on a dark one
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#f0f6fc"),
    "soft": ("#59636e", "#a9b4c0"),
    "line": ("#818b98", "#768390"),
    "edge": ("#d1d9e0", "#3d444d"),
    "way": ("#cf222e", "#ff7b72"),
    "run": ("#f6f8fa", "#191f27"),
    "observe": ("#e8f3fe", "#10263f"),
    "act": ("#fff4d6", "#332a10"),
    "decide": ("#e3f8e7", "#12301d"),
    "serving": ("#f5ecfe", "#2a1c40"),
}
SHAPES = """
text { font: 11px system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif; }
.name { font-size: 13px; font-weight: 600; }
.middle { text-anchor: middle; }
.file { stroke-dasharray: 2 2; }
.outside { stroke-width: 1.5; }
.arrow { fill: none; stroke-width: 1.2; }
.way { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.back { stroke-width: 1.5; stroke-dasharray: 5 4; }
.number { font-weight: 700; text-anchor: middle; }
"""
PAINT = """
text { fill: $ink; } .says { fill: $soft; } .number { fill: $paper; }
.paper { fill: $paper; } .frame { stroke: $edge; } .room { fill: $paper; stroke: $edge; }
.file { fill: $paper; stroke: $line; } .outside { fill: $paper; stroke: $line; }
.run { fill: $run; } .observe { fill: $observe; } .act { fill: $act; } .decide { fill: $decide; }
.serving { fill: $serving; } .arrow { stroke: $line; } .head { fill: $line; }
.way { stroke: $way; } .way-head { fill: $way; } .step { fill: $way; }
"""
HEADS = """
<marker id='head' markerWidth='7' markerHeight='7' refX='6' refY='3' orient='auto' \
markerUnits='userSpaceOnUse'><path class='head' d='M0 0L7 3L0 6Z'/></marker>
<marker id='way-head' markerWidth='10' markerHeight='10' refX='8' refY='4.5' orient='auto' \
markerUnits='userSpaceOnUse'><path class='way-head' d='M0 0L9 4.5L0 9Z'/></marker>
""".strip()


def main() -> None:
    """Draw the picture anew."""
    PICTURE.write_text(drawn(SOURCE.read_text()))


def drawn(source: str) -> str:
    """The SVG of a plan in TOML."""
    plan = tomllib.loads(source)
    width, height = plan["size"]
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}' role='img' aria-label='{escape(plan['title'], quote=True)}'>"
    )
    lines = [
        head,
        f"<style>{_style()}</style>\n<defs>\n{HEADS}\n</defs>",
        _box((0, 0, width, height), "paper", corner=0),
        *_shapes(plan),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _style() -> str:
    light, dark = (
        Template(PAINT).substitute({name: pair[page] for name, pair in COLOURS.items()})
        for page in (0, 1)
    )
    return f"{SHAPES}{light}@media (prefers-color-scheme: dark) {{{dark}}}\n"


def _shapes(plan: Part) -> Iterator[str]:
    """In the order in which they lie upon each other."""
    rooms = {room["module"]: room for room in plan["room"]}
    for room in plan["room"]:
        yield from _holder(room) if "tint" in room else _room(room)
    for file in plan["file"]:
        yield from _file(file)
    for outside in plan["outside"]:
        yield from _room(outside, "outside")
    for arrow in plan["arrow"]:
        yield _arrow(arrow, rooms)
    for way in plan["way"]:
        yield _way(way["along"], "way back" if way.get("back") else "way")
    for part in (*plan["room"], *plan["file"]):
        if "step" in part:
            yield from _step(part["at"], part["step"])
    yield from _legend(*plan["legend"]["at"])


def _holder(room: Part) -> Iterator[str]:
    """A room with other rooms, or files, in it."""
    x, y, _, _ = room["at"]
    yield _box(room["at"], f"frame {room['tint']}", corner=8)
    yield _text(x + room.get("indent", 16), y + 21, "", *_words(room))


def _room(room: Part, kind: str = "room") -> Iterator[str]:
    """What it says stands under its name, or beside it where the room is low."""
    x, y, width, height = room["at"]
    middle = x + width / 2
    yield _box(room["at"], kind, corner=6)
    if height < TWO_LINES or "says" not in room:
        yield _text(middle, y + height / 2 + 4, "middle", *_words(room))
        return
    name, purpose = _words(room)
    yield _text(middle, y + height / 2 - 2, "middle", name)
    yield _text(middle, y + height / 2 + 13, "middle", purpose)


def _words(room: Part) -> list[tuple[str, str]]:
    name = room.get("title") or room["module"].split(".")[-1]
    return [("name", name), *([("says", room["says"])] if "says" in room else [])]


def _file(file: Part) -> Iterator[str]:
    x, y, width, height = file["at"]
    yield _box(file["at"], "file", corner=height / 2)
    yield _text(x + width / 2, y + height / 2 + 4, "middle", ("file-name", Path(file["path"]).name))


def _arrow(arrow: Part, rooms: dict[str, Part]) -> str:
    """From the lower edge of one room to the upper edge of another."""
    _, top, _, height = rooms[arrow["from"]]["at"]
    _, end, _, _ = rooms[arrow["to"]]["at"]
    return _path([(arrow["x"][0], top + height), (arrow["x"][-1], end)], "arrow", "head")


def _way(along: list[list[float]], kind: str) -> str:
    return _path([(x, y) for x, y in along], kind, "way-head")


def _path(points: list[tuple[float, float]], kind: str, head: str) -> str:
    line = "L".join(f"{x} {y}" for x, y in points)
    return f"<path class='{kind}' d='M{line}' marker-end='url(#{head})'/>"


def _step(at: list[float], number: int) -> Iterator[str]:
    """A numbered mark on a corner of what the way goes through."""
    x, y, _, _ = at
    yield f"<circle class='step' cx='{x + 2}' cy='{y + 2}' r='9'/>"
    yield _text(x + 2, y + 6, "number", ("", str(number)))


def _legend(x: float, y: float) -> Iterator[str]:
    end, text = x + 34, x + 44
    yield _way([[x, y], [end, y]], "way")
    yield _text(text, y + 4, "", ("", "the way of an alias move, numbered as in the table"))
    yield _way([[x, y + 20], [end, y + 20]], "way back")
    yield _text(text, y + 24, "", ("", "what became of it"))
    yield _path([(x, y + 40), (end, y + 40)], "arrow", "head")
    yield _text(text, y + 44, "", ("", "imports; what follows from two arrows is not drawn"))


def _box(at: Sequence[float], kind: str, *, corner: float) -> str:
    x, y, width, height = at
    return (
        f"<rect class='{kind}' x='{x}' y='{y}' width='{width}' height='{height}' rx='{corner:g}'/>"
    )


def _text(x: float, y: float, kind: str, *words: tuple[str, str]) -> str:
    """One line; each part of it in a style of its own."""
    spans = " ".join(f"<tspan class='{style}'>{escape(word)}</tspan>" for style, word in words)
    return f"<text class='{kind}' x='{x:g}' y='{y:g}'>{spans}</text>"


if __name__ == "__main__":
    main()
