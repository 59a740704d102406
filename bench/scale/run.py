"""The measurements of one fleet size, in the order in which a fleet lives."""

import time
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow_server import mlflow_server
from operator_process import Operator, operator, until

from bench.scale.cluster import Cluster, cluster
from bench.scale.fleet import SHARED, Fleet, model_of
from bench.scale.moves import Sightings, move
from bench.scale.process import cpu_seconds

SINGLE_MOVES = 10
AT_ONCE = 100
SHARING = 200
IDLE_SECONDS = 120.0
SETTLE_SECONDS = 20.0
"""What a rollout leaves to do after its last word: emptied slots, forgotten records."""


@dataclass(frozen=True)
class Idle:
    """Two minutes in which nothing happens."""

    memory: float
    """MiB, resident, at their end."""
    cpu: float
    """Share of one core."""
    reads: float
    """GETs and LISTs a minute; watches stay open."""
    writes: int
    polls: float
    """Requests to MLflow a minute."""


@dataclass(frozen=True)
class Figures:
    """Of one fleet size; seconds where nothing else is said."""

    deployments: int
    rollout: float
    """From the operator's start to every ModelDeployment Serving, from nothing."""
    restart: float
    """From the operator's start to a first reconcile of every one, all steady."""
    restart_writes: int
    idle: Idle
    single: tuple[float, ...]
    at_once: tuple[float, ...]
    shared: tuple[float, ...]


def measure(own: int, folder: Path) -> Figures:
    """Everything about a fleet of `own` ModelDeployments and those that share one model."""
    fleet = Fleet(own, min(SHARING, own // 5))
    fleet.seed(folder / "mlflow.db")
    with mlflow_server(folder) as url, cluster(folder) as running:
        fleet.deploy(running.objects, url)
        rollout = _from_nothing(running, fleet, folder)
        return _steady(running, fleet, folder, url, rollout)


def _from_nothing(running: Cluster, fleet: Fleet, folder: Path) -> float:
    """Unpaced, because this is not what is asked: how long do the writes themselves take?"""
    began = time.monotonic()
    with operator(running.operator, folder, PENNANT_WRITE_RATE="10000") as first:
        until(lambda: _serving(running) == _size(fleet), seconds=3600)
        took = time.monotonic() - began
        until(lambda: _quiet(first), seconds=600)
        first.stop()  # the next one need not wait for its Lease
    return took


def _steady(running: Cluster, fleet: Fleet, folder: Path, url: str, rollout: float) -> Figures:
    since, began = running.audit.mark(), time.monotonic()
    with operator(running.operator, folder) as second:
        reconciled = "pennant_reconcile_duration_seconds_count"
        until(lambda: second.metric(reconciled) >= _size(fleet), seconds=600)
        restart = time.monotonic() - began
        until(lambda: second.metric("pennant_queue_depth") == 0, seconds=120)
        until(lambda: _resolved(folder), seconds=300)
        restart_writes = running.audit.writes(since).total()
        idle = _idle(running, second, folder)
        single, at_once, shared = _moves(running, fleet, url)
    return Figures(
        deployments=_size(fleet),
        rollout=rollout,
        restart=restart,
        restart_writes=restart_writes,
        idle=idle,
        single=single,
        at_once=at_once,
        shared=shared,
    )


def _idle(running: Cluster, second: Operator, folder: Path) -> Idle:
    since, polled = running.audit.mark(), _asked_of_mlflow(folder)
    before = cpu_seconds(second.process.pid)
    time.sleep(IDLE_SECONDS)
    spent = cpu_seconds(second.process.pid) - before
    asked = running.audit.requests(since)
    minutes = IDLE_SECONDS / 60
    return Idle(
        memory=second.memory(),
        cpu=spent / IDLE_SECONDS,
        reads=sum(n for did, n in asked.items() if did.startswith(("get ", "list "))) / minutes,
        writes=running.audit.writes(since).total(),
        polls=(_asked_of_mlflow(folder) - polled) / minutes,
    )


def _resolved(folder: Path) -> bool:
    """After a start every version is asked for once; from then on it is one poll at a time."""
    before = _asked_of_mlflow(folder)
    time.sleep(5)
    return _asked_of_mlflow(folder) - before <= 1


def _asked_of_mlflow(folder: Path) -> int:
    """Requests so far, by MLflow's own log."""
    return (folder / "mlflow-server.log").read_text().count('"GET /api/')


def _moves(
    running: Cluster, fleet: Fleet, url: str
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    sightings, mlflow = Sightings(running.objects), MlflowClient(url)
    sightings.start()
    own = [(model_of(n), f"fleet-{n:05}") for n in range(fleet.own)]
    single: list[float] = []
    for model, name in own[:SINGLE_MOVES]:
        single += move(mlflow, sightings, {model: [name]}, "2")
    many = own[SINGLE_MOVES : SINGLE_MOVES + AT_ONCE]
    at_once = move(mlflow, sightings, {model: [name] for model, name in many}, "2")
    followers = [f"fleet-{n:05}" for n in range(fleet.own, fleet.own + fleet.sharing)]
    shared = move(mlflow, sightings, {SHARED: followers}, "2")
    return tuple(single), tuple(at_once), tuple(shared)


def _size(fleet: Fleet) -> int:
    return fleet.own + fleet.sharing


def _serving(running: Cluster) -> int:
    found = running.objects.of("ModelDeployment").get().to_dict()["items"]
    return sum((each.get("status") or {}).get("summary") == "Serving" for each in found)


def _quiet(first: Operator) -> bool:
    before = first.metric("pennant_api_writes_total")
    time.sleep(SETTLE_SECONDS)
    return bool(first.metric("pennant_api_writes_total") == before)
