"""One server on its core: started, asked until it is right, weighed, and ended with all it made."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.shell import DevError

CORE = "0"
START_DEADLINE_SECONDS = 120
STOP_DEADLINE_SECONDS = 10


@dataclass(frozen=True)
class Memory:
    """MiB of a server's processes together."""

    pss: float
    """Pages that several processes share are divided among them."""
    rss: float
    """Pages that several processes share are counted in each."""


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    begun: float
    """When the process was started, on the monotonic clock."""
    port: int
    log: Path
    mark: str
    """A variable in the environment of all its processes."""

    def ask(self, path: str, body: bytes) -> bytes | None:
        """The body of its answer; None when it does not answer, or not with 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                return answer.read() if answer.status == 200 else None
            except (OSError, http.client.HTTPException):
                return None

    def first_answer(self, path: str, body: bytes) -> tuple[float, bytes]:
        """Seconds from the start of the process to its first answer, and that answer.

        Raises DevError with the end of its log when there is none.
        """
        while time.monotonic() < self.begun + START_DEADLINE_SECONDS:
            if (answer := self.ask(path, body)) is not None:
                return time.monotonic() - self.begun, answer
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise DevError(f"no answer on {path}: {self.log.read_text(errors='replace')[-1500:]}")

    def memory(self) -> Memory:
        """What all its processes weigh now."""
        rollups = [_rollup(pid) for pid in family(self.mark)]
        return Memory(*(sum(each[kind] for each in rollups) / 1024 for kind in ("Pss", "Rss")))

    def phases(self) -> dict[str, float]:
        """Seconds by phase of its start, by its log (docs/serving.md); only ours tells them."""
        lines = self.log.read_text(errors="replace").splitlines()
        ready = next((line for line in lines if line.startswith('{"event": "ready"')), "{}")
        return dict(json.loads(ready).get("phases", {}))


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path], environment: dict[str, str], *, port: int, folder: Path
) -> Iterator[Server]:
    """Start a server, pinned; it and all its processes are ended when the block is left."""
    log, mark = folder / "server.log", f"BENCH_SERVER={folder}"
    with log.open("wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            ["taskset", "--cpu-list", CORE, *argv],
            env={**environment, "BENCH_SERVER": str(folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Server(process, begun, port, log, mark)
    finally:
        _end(process, mark)


def family(mark: str) -> list[int]:
    """The processes that were started with this mark in their environment, whoever their parent is.

    Servers put their workers into sessions of their own, and workers outlive their server.
    """
    return [pid for pid, environment in _environments() if mark.encode() in environment]


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            yield int(folder.name), (folder / "environ").read_bytes().split(b"\0")


def _rollup(pid: int) -> dict[str, int]:
    """Kilobytes by kind; nothing for a process that has just ended."""
    kilobytes = {"Pss": 0, "Rss": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in kilobytes:
                kilobytes[name] = int(rest.split()[0])
    return kilobytes


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Asked first, then killed, with all its processes. DevError when one stays."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        for pid in family(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        deadline = time.monotonic() + STOP_DEADLINE_SECONDS
        while time.monotonic() < deadline:
            process.poll()
            if not family(mark):
                process.wait()
                return
            time.sleep(0.02)
    raise DevError(f"processes {family(mark)} do not end")
