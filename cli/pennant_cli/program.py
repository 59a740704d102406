"""Runs a program of commands, and ends the process with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from pennant_cli.exit_codes import CommandError, ExitCode, exit_code
from pennant_registry.errors import RegistryError

if TYPE_CHECKING:
    from typer import Typer


def run(load: Callable[[], Typer], name: str) -> None:
    """What the arguments of this process ask for; `load` imports the program."""
    try:
        program = load()
        from pennant_cli.output import printable
    except ModuleNotFoundError as error:
        print(f"{error}: the command line is pip install 'pennant[cli]'", file=sys.stderr)
        sys.exit(ExitCode.FAILED)
    try:
        program(prog_name=name)
    except (CommandError, RegistryError) as error:
        lines = (f"error: {error}", *getattr(error, "__notes__", ()))
        print(*map(printable, lines), sep="\n", file=sys.stderr)
        sys.exit(exit_code(error))
