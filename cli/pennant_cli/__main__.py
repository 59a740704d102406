"""`pennant`, or `python -m pennant_cli`."""

from __future__ import annotations

import sys

from pennant_cli.exit_codes import CommandError, ExitCode, exit_code
from pennant_registry.errors import RegistryError


def main() -> None:
    """Run what the arguments ask for, and end with its exit code."""
    try:
        from pennant_cli.app import app
        from pennant_cli.output import printable
    except ModuleNotFoundError as error:
        print(f"{error}: the command line is pip install 'pennant[cli]'", file=sys.stderr)
        sys.exit(ExitCode.FAILED)
    try:
        app(prog_name="pennant")
    except (CommandError, RegistryError) as error:
        lines = (f"error: {error}", *getattr(error, "__notes__", ()))
        print(*map(printable, lines), sep="\n", file=sys.stderr)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
