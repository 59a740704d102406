"""The measurements of one fleet size, in the order in which a fleet lives."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient

from bench.scale.cluster import Cluster, cluster
from bench.scale.fleet import Fleet
from bench.scale.moves import Mover, Moves, reads
from bench.scale.process import cpu_seconds, peak_memory
from pennant_dev.shell import eprint, step
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.mlflow.mlflow_server import mlflow_server
from pennant_testing.waiting import until

SHARING = 200
IDLE_SECONDS = 60.0
SECONDS_PER_DEPLOYMENT = 0.5
"""Seconds from nothing to Serving for each, at most, beside ten minutes for all."""
UNPACED = {"PENNANT_WRITE_RATE": "10000"}


@dataclass(frozen=True)
class Growth:
    """From the operator's start to every ModelDeployment Serving, from nothing."""

    seconds: float
    memory: float
    """MiB, resident, at its end."""
    writes: float
    """For each ModelDeployment."""
    reads: float


@dataclass(frozen=True)
class Restart:
    """From an operator's start, all being steady."""

    known: float
    """Seconds until every object was listed."""
    looked_at: float
    """Seconds until each ModelDeployment was reconciled."""
    reads: float
    """For each ModelDeployment."""
    writes: int


@dataclass(frozen=True)
class Idle:
    """A minute in which nothing happens."""

    memory: float
    """MiB, resident, at its end."""
    cpu: float
    """Share of one core."""
    reads: float
    """GETs and LISTs a minute; watches stay open."""
    writes: int
    asked: float
    """Requests to MLflow a minute."""
    answering: float
    """Share of the time in which MLflow has one of them to answer."""


@dataclass(frozen=True)
class Figures:
    """Of one fleet size."""

    deployments: int
    following: int
    """Of these, the ones that share one model."""
    growth: Growth
    restart: Restart
    idle: Idle
    polled: Moves
    hooked: Moves
    peak: float
    """MiB, the most that was ever resident, of the operator that restarted, idled and moved."""


@dataclass(frozen=True)
class Site:
    """One size's cluster, registry and folder."""

    fleet: Fleet
    running: Cluster
    url: str
    folder: Path

    @property
    def size(self) -> int:
        """ModelDeployments."""
        return self.fleet.own + self.fleet.sharing

    def asked_of_mlflow(self) -> int:
        """Requests so far, by MLflow's own log."""
        return (self.folder / "mlflow-server.log").read_text().count('"GET /api/')


def measure(own: int, folder: Path) -> Figures:
    """Everything about a fleet of `own` ModelDeployments and those that share one model."""
    fleet = Fleet(own, min(SHARING, own // 5))
    fleet.seed(folder / "mlflow.db")
    with mlflow_server(folder) as url, cluster(folder) as running:
        site = Site(fleet, running, url, folder)
        eprint(f"{site.size} ModelDeployments:")
        with step("  made"):
            fleet.deploy(running.objects, url)
        return _live(site)


def _live(site: Site) -> Figures:
    running, mover = site.running, Mover(MlflowClient(site.url), site.running.audit)
    growth = _grow(site, mover)
    since, began = running.audit.mark(), time.monotonic()
    with operator(running.operator, site.folder) as second:
        known = time.monotonic() - began
        with step("  restarted"):
            restart = _restart(site, second, since, began, known)
        with step("  idle"):
            idle = _idle(site, second)
        with step("  moves, noticed by the poll"):
            polled = mover.measure(site.fleet, "2")
        site.fleet.take_webhooks(running.objects, f"http://127.0.0.1:{second.hooks}")
        with step("  moves, told by the webhook"):
            hooked = mover.measure(site.fleet, "3")
        peak = peak_memory(second.process.pid)
    return Figures(site.size, site.fleet.sharing, growth, restart, idle, polled, hooked, peak)


def _grow(site: Site, mover: Mover) -> Growth:
    """Unpaced, because this is not what is asked: how long do the writes themselves take?"""
    running = site.running
    deadline_seconds = 600 + SECONDS_PER_DEPLOYMENT * site.size
    since, began = running.audit.mark(), time.monotonic()
    with step("  from nothing to Serving"), operator(running.operator, site.folder,
                                                     **UNPACED) as first:  # fmt: skip
        until(lambda: _reported(first, 'serving="1"') == site.size, deadline_seconds)
        took = time.monotonic() - began
        until(mover.quiet, seconds=600)
        requests, writes = running.audit.requests(since), running.audit.writes(since)
        memory = first.memory()
        first.stop()  # the next one need not wait for its Lease
    size = site.size
    return Growth(took, memory, writes.total() / size, reads(requests) / size)


def _restart(site: Site, second: Operator, since: int, began: float, known: float) -> Restart:
    until(lambda: _reported(second, "name=") == site.size, seconds=600)
    looked_at = time.monotonic() - began
    until(lambda: _resolved(site), seconds=300)
    audit = site.running.audit
    return Restart(
        known=known,
        looked_at=looked_at,
        reads=reads(audit.requests(since)) / site.size,
        writes=audit.writes(since).total(),
    )


def _idle(site: Site, second: Operator) -> Idle:
    audit, pid = site.running.audit, second.process.pid
    since, asked = audit.mark(), site.asked_of_mlflow()
    answering = "pennant_registry_request_duration_seconds_sum"
    before, answered = cpu_seconds(pid), second.metric(answering)
    time.sleep(IDLE_SECONDS)
    spent = cpu_seconds(pid) - before
    requests: Counter[str] = audit.requests(since)
    minutes = IDLE_SECONDS / 60
    return Idle(
        memory=second.memory(),
        cpu=spent / IDLE_SECONDS,
        reads=reads(requests) / minutes,
        writes=audit.writes(since).total(),
        asked=(site.asked_of_mlflow() - asked) / minutes,
        answering=(second.metric(answering) - answered) / IDLE_SECONDS,
    )


def _reported(of: Operator, what: str) -> int:
    """ModelDeployments that the operator tells this of, as it does after each reconcile."""
    time.sleep(1)  # with thousands of them the answer costs something itself
    lines = of.get("/metrics")[1].splitlines()
    return sum(line.startswith("pennant_modeldeployment_info{") and what in line for line in lines)


def _resolved(site: Site) -> bool:
    """After a start every version is asked for once; from then on it is one poll at a time."""
    before = site.asked_of_mlflow()
    time.sleep(5)
    return site.asked_of_mlflow() - before <= 1 + site.size // 100
