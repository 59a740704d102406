"""A real operator in a world that does as it likes; once that calms down, everything converges.

What happens comes from a seed; when it happens does not, for the processes are real.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator

from soak.report import Row
from soak.servers import Servers
from soak.world import EDITED, GOOD, STEPS, Follower, World

from pennant_cli.decisions.log_lines import LogReader
from pennant_cli.decisions.replay import replay
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow.lying_proxy import lying_proxy
from pennant_testing.waiting import until

FOLLOWERS = 5
BURST = (4, 16)  # steps between two calms
CONVERGES = 90.0  # seconds: the registry's longest pause, and a rollout of everything
QUIET = 3.0  # seconds without a write, soon after it has

NOUNS = {
    "alias": "alias moves",
    "registry_fails": "outages and lies",
    "operator_dies": "kills",
    "size": "changes of size",
    "spec": "of spec",
    "hand": "edits by hand",
}


def run(servers: Servers, minutes: float, seed: int) -> list[Row]:
    happened: Counter[str] = Counter()
    with contextlib.ExitStack() as opened:
        stage = Stage(servers.objects, "chaos")
        proxy = opened.enter_context(lying_proxy(servers.mlflow_url))
        world = World(servers, stage, proxy, random.Random(seed), opened)
        world.begin(FOLLOWERS)
        began, calms = time.monotonic(), 0
        violations = list(_calm(world))
        while not violations and time.monotonic() - began < minutes * 60:
            violations += _burst(world, happened)
            violations += _calm(world)
            calms += 1
            print(f"chaos: {happened.total()} steps, {calms} calms", flush=True)
        world.operator_dies()
        decisions = replay(LogReader([str(each.log) for each in world.logs]))
    violations += [f"made anew, a decision is another: {each.text}" for each in decisions.others]
    violations += [f"{place}: {why}" for place, why in decisions.unreadable]
    counts = ", ".join(f"{_count(happened, name)} {noun}" for name, noun in NOUNS.items())
    how_many = f"{FOLLOWERS} ModelDeployments; {calms} calms after {counts}; "
    how_many += f"{decisions.same} decisions made anew, the same to the byte"
    options, took = f"--chaos-minutes {minutes:g} --seed {seed}", time.monotonic() - began
    return [Row("chaos, real processes", options, took, how_many, violations)]


def _count(happened: Counter[str], start: str) -> int:
    return sum(count for name, count in happened.items() if name.startswith(start))


def _burst(world: World, happened: Counter[str]) -> Iterator[str]:
    steps, weights = list(STEPS), list(STEPS.values())
    for step in world.random.choices(steps, weights, k=world.random.randint(*BURST)):
        step(world)
        happened[step.__name__] += 1
        world.stage.look()
        if trouble := _traffic(world):
            yield f"after {step.__name__}: {trouble}"


def _traffic(world: World) -> str | None:
    """Law 1: a version that is broken never has the traffic."""
    for name, seen in world.stage.views().items():
        if seen.serving is not None and seen.serving not in GOOD:
            return f"law 1: version {seen.serving} of {name} has the traffic"
    return None


def _calm(world: World) -> Iterator[str]:
    """The registry is well, the operator runs, nobody does anything."""
    world.registry_recovers()
    world.operator_starts()
    with contextlib.suppress(AssertionError):
        until(lambda: not _unsettled(world), CONVERGES)
    yield from _unsettled(world)
    for follower in world.followers:
        follower.proved = follower.version in GOOD
    with contextlib.suppress(AssertionError):
        until(lambda: not _writes(world), CONVERGES)
    for write, count in _writes(world).items():
        yield f"law 7: {count} x {write} though nothing changed"
    for each in world.logs:
        if "fault in the operator" in each.log.read_text():
            yield f"a fault in the operator: {each.log.read_text()[-2000:]}"


def _writes(world: World) -> Counter[str]:
    """What the operator writes in a moment."""
    since, began = world.servers.audit.mark(), time.monotonic()
    until(lambda: time.monotonic() - began > QUIET)
    return world.servers.audit.writes(since)


def _unsettled(world: World) -> list[str]:
    """Who is not where it should be."""
    seen = world.stage.look()
    unsettled = []
    for follower in world.followers:
        view = seen[follower.name]
        wanted = _wanted(follower, view)
        slots = world.stage.deployments(follower.name)
        sizes = {each["metadata"]["name"]: each["spec"]["replicas"] for each in slots}
        is_so = {
            "serving": view.serving,
            "summary": view.summary,
            "AliasInSync": view.reason("AliasInSync"),
            "candidate": view.candidate,
            "pods": sum(sizes.values()),
            "ready": view.status.get("readyReplicas"),
            "marks": view.live["metadata"].get("finalizers"),
            "edited": EDITED in str(slots),
        }
        if is_so != wanted:
            unsettled.append(f"{follower}: {is_so} and not {wanted}; slots {sizes}")
    return unsettled


def _wanted(follower: Follower, view: View) -> dict[str, object]:
    """A good version serves; beside a broken one, whatever served before goes on."""
    good = follower.version in GOOD
    serving = follower.version if good else view.serving
    pods = follower.replicas if serving else 0
    summary = "Serving" if follower.replicas else "Waiting"
    return {
        "serving": serving if serving in GOOD else None,
        "summary": summary if good else "Rejected",
        "AliasInSync": "InSync" if good else "Rejected",
        "candidate": None,
        "pods": pods,
        "ready": pods,
        "marks": None,
        "edited": False,
    }
