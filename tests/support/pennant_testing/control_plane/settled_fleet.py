"""Many ModelDeployments of as many models, all settled; and whether they are left alone."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pennant_testing.control_plane.audit_log import Audit, lines
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import CHILDREN, Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

SETTLE_SECONDS = 600.0  # seconds, on a machine that has other things to do
POLL_SECONDS = 1.0  # seconds between two polls
SEARCH = "GET /api/2.0/mlflow/registered-models/search"


@dataclass(frozen=True)
class Silence:
    """What happened in a stretch of time in which nobody did anything."""

    seconds: float
    calls: Counter[str]  # what MLflow's access log holds
    writes: Counter[str]  # what the API server's audit log holds
    marks: list[str]  # objects that changed, finalizers, annotations of kopf's

    @property
    def polls(self) -> int:
        return self.calls[SEARCH]

    def violations(self) -> list[str]:
        """What an idle operator does not do (laws 7 and 10)."""
        more = [f"{n} x {call}" for call, n in self.calls.items() if call != SEARCH]
        # Pauses between polls are shorter by up to a tenth.
        if self.polls > self.seconds / (0.9 * POLL_SECONDS) + 1:
            more.append(f"{self.polls} searches in {self.seconds:.0f} s")
        return [*(f"{n} x {write}" for write, n in self.writes.items()), *more, *self.marks]


def settled(stage: Stage, mlflow: Mlflow, url: str, count: int) -> None:
    """So many models, each followed by a ModelDeployment that serves its version 1."""
    stage.registry("fleet", url, pollInterval=f"{POLL_SECONDS:.0f}s")
    names = [f"{stage.namespace}-{number}" for number in range(count)]
    for name in names:
        mlflow.promote(name, mlflow.register(name))
        stage.apply(name, name, registry="fleet")
    until(lambda: stage.all_serve("1", names), SETTLE_SECONDS)


def silence(
    stage: Stage, running: Operator, audit: Audit, mlflow_log: Path, seconds: float
) -> Silence:
    """Do nothing for so long, and see what the servers say of it."""
    running.rests()
    since, logged, written = audit.mark(), mlflow_log.stat().st_size, stage.written()
    began = time.monotonic()
    until(lambda: time.monotonic() - began >= seconds, seconds + 5)
    calls = _calls(mlflow_log, logged)
    assert running.get("/readyz")[0] == 200
    moved = [f"{of} changed" for of, what in stage.written().items() if what != written[of]]
    took = time.monotonic() - began
    return Silence(took, calls, audit.writes(since), moved + _marks(stage))


def _calls(log: Path, since: int) -> Counter[str]:
    """Method and path of each request in MLflow's access log, after so many bytes of it."""
    entries = (line.decode() for line in lines(log, since))
    asked = [line.split('"')[1] for line in entries if 'HTTP/1.1"' in line]
    return Counter(each.split("?")[0].removesuffix(" HTTP/1.1") for each in asked)


def _marks(stage: Stage) -> list[str]:
    marks = []
    for kind in ("ModelDeployment", *CHILDREN):
        for each in stage.objects.list(kind, stage.namespace):
            meta = each["metadata"]
            if meta.get("finalizers") or "kopf" in str(each):
                marks.append(f"{kind} {meta['name']} bears a mark")
    return marks
