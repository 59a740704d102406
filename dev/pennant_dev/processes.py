"""Background processes that outlive the command that started them, and are stopped safely.

A record of a process holds its pid, its start time and the boot it belongs to. A pid alone can be
given to a stranger later; with the start time, only a process started here is ever signalled.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pennant_dev.shell import DevError

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Identity:
    """Which process, beyond reuse of its pid."""

    pid: int
    started: int
    """Clock ticks after boot."""
    boot: str


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none (a zombie does not run)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name may hold spaces and brackets: fields are counted after the last bracket.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return Identity(pid, int(fields[19]), BOOT.read_text().strip())


@dataclass(frozen=True)
class Processes:
    """The named processes of one folder: records in `run/`, output in `log/`."""

    folder: Path

    def _record(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.json"

    def log(self, name: str) -> Path:
        """Where a process writes what it prints."""
        return self.folder / "log" / f"{name}.log"

    def start(self, name: str, argv: Sequence[str | Path]) -> None:
        """Start a process in a session of its own and record it."""
        words = [str(each) for each in argv]
        log, record = self.log(name), self._record(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        record.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        pid = os.posix_spawnp(
            words[0],
            words,
            dict(os.environ),  # noqa: TID251 - handed on, not read
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        identity = identify(pid)
        if identity is None:
            raise DevError(f"{name} ended at once: {self.tail(name)}")
        record.write_text(json.dumps(asdict(identity)))

    def names(self) -> list[str]:
        """Names of every recorded process, running or not."""
        return sorted(each.stem for each in (self.folder / "run").glob("*.json"))

    def running(self, name: str) -> Identity | None:
        """The recorded process if it is still the one that was started here."""
        try:
            recorded = Identity(**json.loads(self._record(name).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        reap(recorded.pid)
        return recorded if identify(recorded.pid) == recorded else None

    def stop(self, name: str, grace: float = 5.0) -> None:
        """End a process: asked first, killed after `grace` seconds; the record goes with it."""
        identity = self.running(name)
        if identity is not None:
            end(identity, grace)
        self._record(name).unlink(missing_ok=True)

    def tail(self, name: str, characters: int = 1500) -> str:
        """The last output of a process, for an error message."""
        try:
            return self.log(name).read_text(errors="replace")[-characters:].strip()
        except OSError:
            return "(no log)"


def end(identity: Identity, grace: float) -> None:
    """Terminate, then kill, exactly this process."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if identify(identity.pid) != identity:
            return
        with contextlib.suppress(ProcessLookupError):  # it may have ended just now
            os.kill(identity.pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and identify(identity.pid) == identity:
            time.sleep(0.02)
            reap(identity.pid)


def reap(pid: int) -> None:
    """Collect the exit status if the process is a child of this one; else init does."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
