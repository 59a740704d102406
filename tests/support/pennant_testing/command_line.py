"""The command line as one types it, in this process: what it prints, and how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
from dataclasses import dataclass
from typing import Any

from pennant_cli.__main__ import main


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """What it printed, with `-o json`."""
        return json.loads(self.out)


def pennant(*arguments: str) -> Done:
    """Run it with these."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["pennant", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        return Done(int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = before
    raise AssertionError("it ends by its exit code")


def typed(line: str) -> Done:
    """Run a line of a shell, whose variables are those of this process."""
    program, *arguments = shlex.split(os.path.expandvars(line))
    assert program == "pennant", line
    return pennant(*arguments)
