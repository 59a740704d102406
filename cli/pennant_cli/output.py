"""What a command prints: text for people, JSON or YAML for programs, and that it is still at it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

_NOT_SHOWN = "\N{REPLACEMENT CHARACTER}"
PIPED_WIDTH = 10_000
"""Characters of a line that no terminal shows: nothing in it is folded."""


class Format(StrEnum):
    """Of what a command prints on standard output."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


FormatOption = Annotated[
    Format, typer.Option("--output", "-o", help="Text for people, or json or yaml for programs.")
]


def show(value: Any, form: Format, text: Any) -> None:
    """Print a value of plain data; as text, `text`: a string, or what rich can draw.

    No colour where standard output is no terminal, or NO_COLOR is set.
    """
    if form is Format.JSON:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif form is Format.YAML:
        import yaml

        typer.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), nl=False)
    elif isinstance(text, str):
        typer.echo(printable(text))
    else:
        _draw(text)


def _draw(text: Any) -> None:
    from rich.console import Console

    if sys.stdout.isatty():
        Console(highlight=False, markup=False, emoji=False).print(text)
        return
    console = Console(highlight=False, markup=False, emoji=False, width=PIPED_WIDTH)
    with console.capture() as drawn:
        console.print(text)
    typer.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Columns, for `show`: as wide as what is in them, and folded where a terminal is narrower."""
    from rich.table import Table

    drawn = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for column in drawn.columns:
        column.overflow = "fold"
    for row in rows:
        drawn.add_row(*map(printable, row))
    return drawn


def printable(text: str) -> str:
    """Whoever writes a log, a name or a message moves no cursor of who reads it."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


@contextlib.contextmanager
def working(on: str) -> Iterator[None]:
    """While it takes: what is being worked on, on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(on)):  # a name in it is no markup
        yield
