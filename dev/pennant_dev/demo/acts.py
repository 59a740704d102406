"""The five acts. Each says in one line what is about to happen, does it, and waits to see it."""

import time

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Object
from pennant_dev.demo.stage import Stage
from pennant_dev.demo.story import Story
from pennant_dev.shell import say, step


def play(stage: Stage) -> Story:
    """All acts, in order; DevError at the first that does not happen as announced."""
    first, second = opening(stage)
    follow(stage, 2, "v2 is promoted", second)
    refuse(stage, 3, "a broken v3 is promoted")
    endure(stage, 4, "MLflow is down, a pod restarts")
    follow(stage, 5, "the alias goes back to v1", first)
    stage.traffic.stop()
    stage.story.rows = stage.traffic.rows
    return stage.story


def opening(stage: Stage) -> tuple[str, str]:
    """Act 1: two versions, one of which serves. The versions' numbers."""
    announce(1, "train and register v1 and v2, promote v1, serve it")
    first, second = stage.train("v1"), stage.train("v2")
    stage.promote(first)
    setup.install_newsreco(stage.kube)
    with stage.shown():
        stage.until(lambda status: serves(status, first), f"v{first} does not serve", 180)
    say(f"  GET /recommend/U106 -> {stage.ask(seconds=30)}")
    with step(f"  {stage.traffic.describe()}"):
        stage.traffic.start()
    begun = time.time()
    stage.calm()
    stage.record(1, "v1 serves", begun)
    return first, second


def follow(stage: Stage, number: int, title: str, version: str) -> None:
    """Acts 2 and 5: the alias moves and the traffic follows."""
    announce(number, f"{title}: the cluster follows, the previous version stays warm a while")
    begun = time.time()
    with stage.shown():
        move = stage.promote(version)
        stage.until(lambda status: serves(status, version), f"v{version} does not serve", 180)
        stage.until(settled, f"v{version} does not settle", 120)
    stage.calm()
    stage.record(number, title, begun, move)


def refuse(stage: Stage, number: int, title: str) -> None:
    """Act 3: a version that cannot load is rejected, and why is there to read."""
    announce(number, f"{title}: it cannot load, so what serves goes on serving")
    begun = time.time()
    broken = stage.train("v3", "--broken")
    with stage.shown():
        move = stage.promote(broken)
        record = stage.until(lambda status: rejection(status, broken), "v3 is not rejected", 240)
    say(f"  rejected: {record['reason']}: {record['message']}")
    stage.calm()
    stage.record(number, title, begun, move)


def endure(stage: Stage, number: int, title: str) -> None:
    """Act 4: without MLflow a pod whose process ended comes back."""
    announce(number, "MLflow is scaled to zero, a serving process ends: its pod comes back")
    begun = time.time()
    stage.scale_mlflow(0)
    down = time.time()
    with step("  the process ended, and the pod serves again"):
        stage.end_a_process()
    stage.calm()
    stage.story.outage = (down, time.time())
    with step("  MLflow is back"):
        stage.scale_mlflow(1)
    stage.record(number, title, begun)


def announce(number: int, line: str) -> None:
    """One line that says what is about to happen."""
    say(f"\nAct {number}: {line}")


def serves(status: Object, version: str) -> bool:
    """Whether a version answers requests."""
    return bool(status.get("serving", {}).get("version") == version)


def settled(status: Object) -> bool:
    """Whether nothing is under way any more, the bake included."""
    return bool(status.get("summary") == "Serving")


def rejection(status: Object, version: str) -> Object:
    """The record of a version's rejection; empty when it was not rejected."""
    found = [each for each in status.get("rejected", []) if each["version"] == version]
    return found[0] if found else {}
