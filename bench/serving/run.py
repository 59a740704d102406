"""Measures one server: how it starts, what it weighs then, its answers, and its weight after."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.serving.asked import Asked, write
from bench.serving.load import Load, load
from bench.serving.peers import Peer, Site
from bench.serving.server import Memory, Server, running
from bench.serving.workload import Workload
from pennant_dev.environments import environment
from pennant_dev.ports import free_port
from pennant_dev.shell import DevError, eprint, run


@dataclass(frozen=True)
class Plan:
    """What is measured of every server."""

    rows: tuple[int, ...] = (1, 100)
    connections: tuple[int, ...] = (1, 16, 64, 256)
    rounds: int = 3
    """Times that every server is started and measured, all in turn."""
    seconds: int = 3
    """Of a point, in each round."""
    warm_up: int = 1
    """Seconds of load before each of them that count for nothing."""

    def __str__(self) -> str:
        each = f"{self.seconds} s a point after {self.warm_up} s of warm-up"
        return f"{self.rounds} rounds, in each {each}"


@dataclass(frozen=True)
class Point:
    """One server under one load."""

    rows: int
    connections: int
    load: Load


@dataclass(frozen=True)
class Result:
    """All that was measured of one server; `trouble` says why there is less."""

    name: str
    against: str | None = None
    checked: bool = True
    versions: dict[str, str] = field(default_factory=dict)
    start: float | None = None
    """Seconds from the start of the process to the first right answer."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of that start, by what it tells itself; phases may overlap."""
    idle: Memory | None = None
    """After the first answer."""
    loaded: Memory | None = None
    """After all load."""
    points: tuple[Point, ...] = ()
    trouble: str | None = None

    def at(self, rows: int, connections: int) -> Load | None:
        """One point, if it was measured."""
        return next(
            (p.load for p in self.points if (p.rows, p.connections) == (rows, connections)), None
        )


def measure(peer: Peer, workload: Workload, plan: Plan, folder: Path) -> Result:
    """Everything about one server; what goes wrong is told in the result."""
    eprint(peer.name)
    folder.mkdir()
    try:
        python = environment(peer.environment, peer.lock)
        versions = _versions(peer, python)
        return _measured(peer, versions, Site(python, folder, free_port(), workload), plan)
    except (DevError, subprocess.CalledProcessError) as error:
        eprint(f"  {error}")
        trouble = " ".join(str(error).split())[-300:]
        return Result(peer.name, peer.against, peer.checked, trouble=trouble)


def _measured(peer: Peer, versions: dict[str, str], site: Site, plan: Plan) -> Result:
    asked = {rows: _write(peer, site, rows) for rows in plan.rows}
    first = next(iter(asked.values()))
    with _running(peer, site) as server:
        cold = first.first_right(server), server.phases()  # its files are in memory from here on
    with _running(peer, site) as server:
        warm = first.first_right(server), server.phases()
        start, phases = min(cold, warm, key=lambda timed: timed[0])
        idle = server.memory()
        points = tuple(p for rows, each in asked.items() for p in _points(server, each, rows, plan))
        loaded = server.memory()
    return Result(
        peer.name, peer.against, peer.checked, versions, start, phases, idle, loaded, points
    )


def _points(server: Server, asked: Asked, rows: int, plan: Plan) -> Iterator[Point]:
    asked.learn(server)
    url, path = f"http://127.0.0.1:{server.port}", asked.protocol.path
    for connections in plan.connections:
        for seconds in (plan.warm_up, plan.seconds):
            measured = load(url, path, asked.folder, connections=connections, seconds=seconds)
        eprint(f"  {connections} connections, rows in a request: {rows}: {measured.rate:,.0f}/s, "
               f"p99 {measured.p99:.1f} ms, {measured.failed} failed")  # fmt: skip
        yield Point(rows, connections, measured)


def _write(peer: Peer, site: Site, rows: int) -> Asked:
    folder = site.folder / f"{rows}-rows"
    return write(peer.protocol, site.workload, folder, rows, checked=peer.checked)


def _running(peer: Peer, site: Site) -> AbstractContextManager[Server]:
    command = peer.command(site)
    environment = {
        "PATH": f"{site.python.parent}:{os.defpath}",
        "HOME": str(site.folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **command.environment,
    }
    return running(command.argv, environment, port=site.port, folder=site.folder)


def _versions(peer: Peer, python: Path) -> dict[str, str]:
    code = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    versions = run([python, "-c", code, *peer.packages]).split()
    return dict(zip(peer.packages, versions, strict=True))
