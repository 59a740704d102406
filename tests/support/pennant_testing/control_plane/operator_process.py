"""The real operator as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.ports import free_port
from pennant_testing.control_plane.objects import NAMESPACE
from pennant_testing.waiting import still, until

# A leader that may be without the processor for a while is one all the same.
PATIENT = {"PENNANT_LEASE_DURATION": "300", "PENNANT_RENEW_DEADLINE": "240"}
# For one that will be killed: it leaves no Lease that the next one has to wait for.
ALONE = {"PENNANT_LEADER_ELECT": "false"}
START_SECONDS = 180.0  # seconds, on a machine that has other things to do
END_SECONDS = 180.0
WRITES = "pennant_api_writes_total"


@dataclass(frozen=True)
class Operator:
    """A running operator."""

    process: subprocess.Popen[bytes]
    port: int
    hooks: int
    """The port of the webhooks."""
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its own endpoints; 0 when it does not listen."""
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, start: str) -> float:
        """The sum of every sample whose line starts like this."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))

    def rests(self, seconds: float = 3) -> float:
        """Wait until it has written nothing for so long; its writes."""
        return still(lambda: self.metric(WRITES), seconds)

    def memory(self) -> float:
        """Resident memory, MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def kill(self) -> None:
        """End it as a node does that loses power."""
        self.process.kill()
        self.process.wait(timeout=END_SECONDS)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=END_SECONDS)


@contextlib.contextmanager
def operator(kubeconfig: Path, folder: Path, **environ: str) -> Iterator[Operator]:
    """An operator that is ready, ended at the end."""
    port, hooks, log = free_port(), free_port(), folder / f"operator-{time.monotonic_ns()}.log"
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PENNANT_")
    }
    env = inherited | {
        "KUBECONFIG": str(kubeconfig),
        "PENNANT_NAMESPACE": NAMESPACE,
        "PENNANT_FETCH_IMAGE": "pennant-serving:test",
        "PENNANT_HTTP_HOST": "127.0.0.1",
        "PENNANT_HTTP_PORT": str(port),
        "PENNANT_WEBHOOK_PORT": str(hooks),
        **PATIENT,
        **environ,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pennant_operator"], env=env, stdout=output, stderr=output
        )
    started = Operator(process, port, hooks, log)
    try:
        until(lambda: process.poll() is not None or started.get("/readyz")[0] == 200, START_SECONDS)
        if process.poll() is not None:
            raise RuntimeError(f"the operator ended: {log.read_text()[-4000:]}")
        yield started
    finally:
        if process.poll() is None:
            process.terminate()  # killed, it would leave the next one a Lease to wait for
        try:
            process.wait(timeout=END_SECONDS)
        finally:
            process.kill()
            process.wait()
