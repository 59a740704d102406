"""`status -w`: the tree, drawn again; where there is no terminal, a line for each change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import typer

from pennant_cli.cluster.tree import Entry, drawn, lines_of
from pennant_cli.output import printable

LOOK_SECONDS = 1.0


def watched(look: Callable[[], list[Entry]], every: float = LOOK_SECONDS) -> None:
    """Until it is interrupted; `every` is in seconds."""
    try:
        if sys.stdout.isatty():
            _live(look, every)
        else:
            _plain(look, every)
    except KeyboardInterrupt:
        return


def _live(look: Callable[[], list[Entry]], every: float) -> None:
    from rich.live import Live

    with Live(drawn(look()), auto_refresh=False) as live:
        while True:
            time.sleep(every)
            live.update(drawn(look()), refresh=True)


def _plain(look: Callable[[], list[Entry]], every: float) -> None:
    before: dict[str, str] = {}
    while True:
        for each in look():
            name = f"{each['namespace']}/{each['name']}"
            line = f"{name} {each['summary']}: {'; '.join(lines_of(each))}"
            if before.get(name) != line:
                typer.echo(printable(line))
                sys.stdout.flush()
            before[name] = line
        time.sleep(every)
