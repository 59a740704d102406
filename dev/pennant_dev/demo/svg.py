"""The few SVG shapes that the picture needs, as strings. Pure."""

from collections.abc import Iterable, Sequence
from html import escape

FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"


def document(width: int, height: int, label: str, shapes: Iterable[str]) -> str:
    """A whole picture on white, readable in a dark page too."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' role='img' aria-label='{escape(label, quote=True)}' "
        f"{FONT}>"
    )
    lines = [head, rect(0, 0, width, height, "#ffffff"), *shapes, "</svg>"]
    return "\n".join(lines) + "\n"


def rect(x: float, y: float, width: float, height: float, fill: str, *, round_: float = 0) -> str:
    """A filled rectangle."""
    corner = f" rx='{round_:g}'" if round_ else ""
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0):.1f}' height='{height:.1f}' "
        f"fill='{fill}'{corner}/>"
    )


def line(
    start: tuple[float, float], end: tuple[float, float], colour: str, *, dashed: bool = False
) -> str:
    """A thin line."""
    dashes = " stroke-dasharray='3 3'" if dashed else ""
    return (
        f"<line x1='{start[0]:.1f}' y1='{start[1]:.1f}' x2='{end[0]:.1f}' y2='{end[1]:.1f}' "
        f"stroke='{colour}'{dashes}/>"
    )


def area(points: Sequence[tuple[float, float]], fill: str) -> str:
    """A filled polygon."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polygon points='{path}' fill='{fill}'/>"


def text(
    x: float, y: float, words: str, *, size: int = 12, colour: str = "#444", anchor: str = "start"
) -> str:
    """One line of text, its baseline at y."""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
        f"text-anchor='{anchor}'>{escape(words)}</text>"
    )


def bold(shape: str) -> str:
    """The same text, heavier."""
    return shape.replace("<text ", "<text font-weight='600' ", 1)


def cross(x: float, y: float, size: float, colour: str) -> str:
    """A cross, for something that failed."""
    return (
        f"<path d='M{x - size:.1f} {y - size:.1f}L{x + size:.1f} {y + size:.1f}"
        f"M{x - size:.1f} {y + size:.1f}L{x + size:.1f} {y - size:.1f}' "
        f"stroke='{colour}' stroke-width='1.5'/>"
    )
