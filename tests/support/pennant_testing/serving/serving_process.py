"""A real serving process on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pennant_dev.ports import free_port
from pennant_testing.folders import SUPPORT
from pennant_testing.running.coverage_env import coverage_variables

READY_DEADLINE_SECONDS = 120  # on a machine that has other things to do
END_SECONDS = 10.0  # seconds, and then it is killed: what it is about has been tested
JSON = {"Content-Type": "application/json"}


@dataclass
class Serving:
    """A process that was started, and how to talk to it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    termination_log: Path
    begun: float
    """When it was started, in seconds of the time of day."""
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is closed with the process at the latest."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connections.append(connection)
        return connection

    def request(self, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request on a connection of its own."""
        connection = self.connect()
        with contextlib.closing(connection):
            method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
            connection.request(method, path, data, JSON)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read()

    def wait_until(self, path: str) -> None:
        """Poll until the path answers 200."""
        deadline = time.monotonic() + READY_DEADLINE_SECONDS
        while not self._answers(path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{path} was never 200:\n{self.log.read_text()}")
            time.sleep(0.02)

    def clients(self) -> set[int]:
        """The ports of those whose connections it has open: the kernel tells an inode for each.

        It listens for IPv6 too where there is that, and then these are connections of that kind.
        """
        tables = (Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6"))
        rows = [row.split() for table in tables for row in table.splitlines()]
        own = f":{self.port:04X}"
        ports = {int(row[2][-4:], 16) for row in rows if row[1].endswith(own) and row[9] != "0"}
        return ports - {0}  # itself, which listens

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _answers(self, path: str) -> bool:
        try:
            return self.request(path)[0] == 200
        except OSError:
            return False

    def logged(self) -> list[dict[str, Any]]:
        """The whole lines of its log that tell of a request; each is written after its answer."""
        whole = self.log.read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in whole if '"id"' in line]

    def reason(self) -> str:
        return str(json.loads(self.termination_log.read_text())["reason"])


def worker_pids(pod: Serving) -> list[int]:
    """The process ids of what the server's first process has started."""
    path = Path(f"/proc/{pod.process.pid}/task/{pod.process.pid}/children")
    return [int(process) for process in path.read_text().split()]


@contextlib.contextmanager
def serving(
    folder: Path, model_path: Path, *, under: Sequence[str] = (), **variables: str
) -> Iterator[Serving]:
    """Start `python -m pennant_serving` on a bundle; it is ended when the block is left.

    A command such as prlimit may start it.
    """
    port, log, termination_log = free_port(), folder / "serve.log", folder / "termination-log"
    environment = coverage_variables() | {
        "PATH": os.defpath,
        "PYTHONPATH": str(SUPPORT),
        "PENNANT_MODEL_NAME": "iris",
        "PENNANT_MODEL_VERSION": "7",
        "PENNANT_MODEL_PATH": str(model_path),
        "PENNANT_PORT": str(port),
        "PENNANT_GRPC_PORT": "0",
        "PENNANT_DRAIN_SECONDS": "0.5",
        "PENNANT_TERMINATION_LOG": str(termination_log),
    }
    begun = time.time()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "pennant_serving"],
            env=environment | variables,
            stdout=output,
            stderr=output,
        )
    started = Serving(process, port, log, termination_log, begun)
    try:
        yield started
    finally:
        for connection in started.connections:
            connection.close()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=END_SECONDS)
        process.kill()
        process.wait()
