"""A real lobby on free loopback ports, and pods for it that do what a test wants."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from pennant_dev.ports import free_port
from pennant_testing.folders import SUPPORT
from pennant_testing.running.coverage_env import coverage_variables
from pennant_testing.waiting import until

END_SECONDS = 10.0
Handle = Callable[[socket.socket], None]


@dataclass
class LobbyProcess:
    """One that was started, and how to talk to it."""

    process: subprocess.Popen[bytes]
    port: int
    grpc_port: int
    probe_port: int
    to: int
    """Where its pods are looked for."""
    log: Path

    def probe(self, path: str) -> tuple[int, str]:
        """Status and body."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.probe_port, timeout=30)) as asked:
            asked.request("GET", path)
            answer = asked.getresponse()
            return answer.status, answer.read().decode()

    def count(self, metric: str, **labels: str) -> float:
        """The sum of a metric's series that have these labels."""
        rows = re.findall(rf"^{metric}\{{(.*)\}} (\S+)$", self.probe("/metrics")[1], re.MULTILINE)
        wanted = {f'{name}="{value}"' for name, value in labels.items()}
        return sum(float(value) for series, value in rows if wanted <= {*series.split(",")})

    def waiting(self) -> float:
        """Requests that wait for a pod."""
        return self.count("pennant_lobby_held")

    def ended(self, outcome: str, protocol: str = "http") -> float:
        """Requests that ended so."""
        return self.count("pennant_lobby_requests_total", outcome=outcome, protocol=protocol)

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def lobby(folder: Path, to: int, grpc_to: int | None = None, **more: str) -> Iterator[LobbyProcess]:
    """Start `python -m pennant_serving.lobby` before pods on these ports; it is ready."""
    port, grpc_port, probe_port, log = free_port(), free_port(), free_port(), folder / "lobby.log"
    environment = coverage_variables() | {
        "PATH": os.defpath,
        "PYTHONPATH": str(SUPPORT),
        "PENNANT_LOBBY_TO": f"127.0.0.1:{to}",
        "PENNANT_LOBBY_GRPC_TO": f"127.0.0.1:{grpc_to}" if grpc_to else "",
        "PENNANT_LOBBY_PROBE_PORT": str(probe_port),
        "PENNANT_PORT": str(port),
        "PENNANT_GRPC_PORT": str(grpc_port),
        "PENNANT_DRAIN_SECONDS": "0.5",
        "PENNANT_TERMINATION_LOG": str(folder / "lobby-termination-log"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pennant_serving.lobby"],
            env=environment | more,
            stdout=output,
            stderr=output,
        )
    started = LobbyProcess(process, port, grpc_port, probe_port, to, log)
    try:
        until(lambda: _is_ready(started))
        yield started
        assert "Traceback" not in log.read_text()
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=END_SECONDS)
        process.kill()
        process.wait()


def _is_ready(started: LobbyProcess) -> bool:
    if started.process.poll() is not None:
        raise RuntimeError(started.log.read_text())
    with contextlib.suppress(OSError):
        return started.probe("/readyz")[0] == 200
    return False


@contextlib.contextmanager
def pods(port: int, handle: Handle) -> Iterator[None]:
    """Somebody listens on this port; each connection is handled, in a thread, and closed."""
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)

    def one(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            handle(client)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


class Service:
    """A Service of the cluster: each connection goes to whom it leads to then, and stays there;
    while it leads to nobody it is refused."""

    def __init__(self) -> None:
        self.port = free_port()
        self._to: int | None = None
        self._open = contextlib.ExitStack()

    def lead(self, to: int | None) -> None:
        """From now on, to this port."""
        before, self._to = self._to, to
        if to is None:
            self._open.close()
        elif before is None:
            self._open.enter_context(pods(self.port, self._carry))

    def _carry(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._to or 0)) as pod:
            back = threading.Thread(target=_pass, args=(pod, client), daemon=True)
            back.start()
            _pass(client, pod)
            back.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
