"""`kubectl pennant`: kubectl runs the program `kubectl-pennant` that it finds on the PATH."""

from __future__ import annotations

import sys

from pennant_cli.exit_codes import CommandError, ExitCode


def main() -> None:
    """Run what the arguments ask for, and end with its exit code."""
    try:
        from pennant_cli.cluster.commands import program
        from pennant_cli.output import printable
    except ModuleNotFoundError as error:
        print(f"{error}: the command line is pip install 'pennant[cli]'", file=sys.stderr)
        sys.exit(ExitCode.FAILED)
    try:
        program(prog_name="kubectl pennant")
    except CommandError as error:
        print(printable(f"error: {error}"), file=sys.stderr)
        sys.exit(error.code)


if __name__ == "__main__":
    main()
