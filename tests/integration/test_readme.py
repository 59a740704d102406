"""The README's minute without a cluster, followed as it stands; what it installs is here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from pennant_dev.ports import free_port
from pennant_testing.folders import REPOSITORY
from pennant_testing.shown_commands import shown_commands
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

PAGE = REPOSITORY / "README.md"
LOCAL = [*takewhile(lambda each: not each.command.startswith("kubectl"), shown_commands(PAGE))]
GOES_ON = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[0]
SECONDS = re.compile(r"\(\d+\.\d s\)")
SERVE = "pennant serve iris@production --follow"


class Shell:
    """A folder with the examples in it, and another port than the one of the page."""

    def __init__(self, folder: Path) -> None:
        (folder / "examples").symlink_to(REPOSITORY / "examples")
        self._folder = folder
        self._port = str(free_port())
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._variables = {
            name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")
        } | {"PATH": path}

    def here(self, text: str) -> str:
        """What the page has, with the port."""
        return text.replace(SERVE, f"{SERVE} --port {self._port}").replace(
            ":8080", f":{self._port}"
        )

    def start(self, command: str, printed: Path) -> subprocess.Popen[bytes]:
        with printed.open("wb") as output:
            return subprocess.Popen(
                ["bash", "-c", f"exec {self.here(command)}"],
                cwd=self._folder,
                env=self._variables,
                stdout=output,
            )

    def run(self, command: str) -> str:
        return subprocess.run(
            ["bash", "-c", self.here(command)],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()


def test_the_readmes_minute_without_a_cluster_is_as_it_shows(tmp_path: Path):
    shell, printed = Shell(tmp_path), tmp_path / "printed"
    install, train, serve, activate, *asks = LOCAL
    assert install.command.endswith(".[laptop]'")
    assert activate.command in install.command
    assert shell.run(train.command) == train.output.strip()
    assert serve.command == SERVE
    serving = shell.start(serve.command, printed)
    try:
        begins = shell.here(serve.output)
        until(lambda: printed.read_text().startswith(f"{begins}try: curl "), seen=printed.read_text)
        for command, output in asks:
            until(lambda c=command, o=output: shell.run(c) == o.strip())  # after the next poll
        expected = SECONDS.sub("", GOES_ON)
        until(
            lambda: SECONDS.sub("", printed.read_text()).endswith(expected), seen=printed.read_text
        )
        serving.send_signal(signal.SIGINT)
        assert serving.wait() == 0
    finally:
        serving.kill()
        serving.wait()
    assert len(printed.read_text().splitlines()) == 3 + len(GOES_ON.splitlines())
