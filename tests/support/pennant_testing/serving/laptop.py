"""`pennant serve` as a process, as somebody has it in a terminal."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_testing.folders import SUPPORT
from pennant_testing.serving.serving_process import JSON
from pennant_testing.waiting import until

END_SECONDS = 60.0


class Laptop:
    """A process, and what it has printed."""

    def __init__(self, process: subprocess.Popen[bytes], printed: Path, errors: Path) -> None:
        self.process = process
        self._printed = printed
        self.errors = errors

    @property
    def lines(self) -> list[str]:
        """The whole ones."""
        return self._printed.read_text().rpartition("\n")[0].splitlines()

    def wait_for(self, text: str, times: int = 1) -> str:
        """The last line that has it, once so many have."""

        def having() -> list[str]:
            assert self.process.poll() is None, [*self.lines, self.errors.read_text()]
            lines = [line for line in self.lines if text in line]
            return lines if len(lines) >= times else []

        return until(having, seen=lambda: self.lines)[-1]

    @property
    def port(self) -> int:
        """Once something serves."""
        match = re.search(r"serving at http://127.0.0.1:(\d+) ", self.wait_for("serving at"))
        assert match
        return int(match[1])

    def servers(self) -> list[int]:
        """The process ids of its servers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(process) for process in path.read_text().split()]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self) -> str:
        """The version that answers one request on a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            return asked(connection)


def asked(connection: http.client.HTTPConnection) -> str:
    """The version that answers one request, which must succeed."""
    connection.request("POST", "/invocations", json.dumps({"instances": [1.5]}), JSON)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"predictions": [1.5]})
    return str(answer.headers["x-pennant-version"])


@contextmanager
def laptop(folder: Path, *arguments: str, **variables: str) -> Iterator[Laptop]:
    """`pennant serve` with these arguments; it is killed when the block is left."""
    printed, errors = folder / "printed", folder / "errors"
    environment = os.environ | {"PYTHONPATH": str(SUPPORT), "TMPDIR": str(folder)} | variables
    with printed.open("wb") as output, errors.open("wb") as error:
        process = subprocess.Popen(
            [sys.executable, "-m", "pennant_cli", "serve", *arguments, "--port", "0"],
            env=environment,
            stdout=output,
            stderr=error,
        )
    try:
        yield Laptop(process, printed, errors)
    finally:
        process.kill()  # its servers end with it
        process.wait(END_SECONDS)
