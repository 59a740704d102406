"""The load generator: wrk, which checks every answer, on a core of its own."""

import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennant_dev.shell import DevError, run

SCRIPT = Path(__file__).with_name("load.lua")
CORE = "1"
TIMEOUT_SECONDS = 30
"""More than the slowest server needs for all connections at once."""


@dataclass(frozen=True)
class Load:
    """What the load generator saw."""

    requests: int
    """Answered, rightly or not."""
    failed: int
    """Lost connections, other statuses than 200, and wrong answers."""
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    busy: float
    """The share of its core that the load generator used; near 1 it is what is measured."""

    @property
    def rate(self) -> float:
        """Right answers per second."""
        return max(self.requests - self.failed, 0) / self.seconds


def load(url: str, path: str, folder: Path, *, connections: int, seconds: int) -> Load:
    """Requests from `folder` (see load.lua) over so many connections. Raises DevError."""
    begun, used = time.monotonic(), _processor_seconds()
    words = ["wrk", "--threads", "1", "--connections", str(connections)]
    words += ["--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s"]
    output = run(
        ["taskset", "--cpu-list", CORE, *words, "--script", SCRIPT, url, "--", folder, path]
    )
    busy = (_processor_seconds() - used) / (time.monotonic() - begun)
    return parse(output, busy)


def parse(output: str, busy: float) -> Load:
    """What load.lua wrote on its last line. Raises DevError."""
    try:
        summary: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    except ValueError:
        raise DevError(f"wrk told no result: {output[-500:]}") from None
    return Load(
        requests=summary["requests"],
        failed=summary["status"] + summary["wrong"] + summary["lost"],
        seconds=summary["seconds"],
        p50=summary["p50"],
        p99=summary["p99"],
        busy=busy,
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
