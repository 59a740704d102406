"""`kubectl pennant`: kubectl runs the program `kubectl-pennant` that it finds on the PATH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennant_cli.program import run

if TYPE_CHECKING:
    from typer import Typer


def main() -> None:
    """Run what the arguments ask for, and end with its exit code."""
    run(_program, "kubectl pennant")


def _program() -> Typer:
    from pennant_cli.cluster.commands import program

    return program


if __name__ == "__main__":
    main()
