"""The nine acts. Each says in one line what is about to happen, does it, and waits to see it."""

import time

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Object
from pennant_dev.demo.stage import Stage
from pennant_dev.demo.story import Story
from pennant_dev.shell import eprint, step

APPROVAL = "approved"
GATES = {
    "metrics": [{"name": "ndcg_at_10", "maxDrop": "0.02"}],
    "tags": [{"key": APPROVAL, "value": "true"}],
}
REHEARSAL = {"requests": 100}
WORSE = ("--users", "20")  # trained on few readers
WRONG = "--broken=answers"  # loads, passes its self-test, and fails for a third of its readers
SETTLED = "{.status.summary}=Serving"
"""JSONPath: nothing is under way any more, the bake included."""


def play(stage: Stage) -> Story:
    """All acts, in order; DevError at the first that does not happen as announced."""
    first, second = opening(stage)
    follow(stage, 2, "v2 is promoted", second)
    refuse(stage, 3, "a broken v3 is promoted")
    endure(stage, 4, "MLflow is down, a pod restarts")
    follow(stage, 5, "the alias goes back to v1", first)
    judge(stage, 6, "a worse v4 is promoted")
    better = approve(stage, 7, "v5 is approved")
    rehearse(stage, 8, "v6 is rehearsed")
    go_back(stage, 9, "v7 answers, and goes back", better)
    stage.traffic.stop()
    stage.story.rows = stage.traffic.rows
    stage.story.heard = stage.heard()
    return stage.story


def opening(stage: Stage) -> tuple[str, str]:
    """Act 1: two versions, one of which serves. The versions' numbers."""
    announce(1, "train and register v1 and v2, promote v1, serve it")
    first, second = stage.train("v1"), stage.train("v2")
    stage.promote(first)
    setup.install_newsreco(stage.kube)
    with stage.shown():
        stage.until(serves(first), seconds=180)
    eprint(f"  GET /recommend/U106 -> {stage.ask(seconds=30)}")
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
        stage.until(serves(version), seconds=180)
        stage.until(SETTLED, seconds=120)
    stage.calm()
    stage.record(number, title, begun, move)


def refuse(stage: Stage, number: int, title: str) -> None:
    """Act 3: a version that cannot load is rejected, and why is there to read."""
    announce(number, f"{title}: it cannot load, so what serves goes on serving")
    begun = time.time()
    broken = stage.train("v3", "--broken=load")
    with stage.shown():
        move = stage.promote(broken)
        stage.until(rejected(broken), seconds=240)
    eprint(f"  rejected: {why(stage.status(), broken)}")
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
    with step("  MLflow is back, and the operator has seen it"):
        stage.scale_mlflow(1)
        stage.registry_answers()
    stage.record(number, title, begun)


def judge(stage: Stage, number: int, title: str) -> None:
    """Act 6: with gates a version that is worse than what serves gets no pod, and says why."""
    announce(number, f"gates are set, and {title}: it is held, and no pod of it is made")
    begun = time.time()
    # Pods keep requests to rehearse with where that is asked for as they are made: v5's, then.
    stage.change({"gates": GATES, "rollout": {"rehearsal": REHEARSAL}})
    worse = stage.train("v4", *WORSE)
    with stage.shown():
        move = stage.promote(worse)
        stage.until(holds("metrics.ndcg_at_10.maxDrop"), seconds=60)
    eprint(f"  held: {message(stage.status(), 'AliasInSync')}")
    stage.calm()
    stage.record(number, title, begun, move)


def approve(stage: Stage, number: int, title: str) -> str:
    """Act 7: a version that is as good is held until somebody approves it. Its number."""
    announce(number, "v5 is as good as v1, and held for want of an approval: somebody approves it")
    begun = time.time()
    better = stage.train("v5")
    with stage.shown():
        move = stage.promote(better)
        stage.until(holds(f"tags.{APPROVAL}"), seconds=60)
        approved = stage.tag(better, APPROVAL, "true")
        stage.until(serves(better), seconds=180)
        stage.until(SETTLED, seconds=120)
    stage.calm()
    stage.record(number, title, begun, move._replace(at=approved))
    return better


def rehearse(stage: Stage, number: int, title: str) -> None:
    """Act 8: a version that fails on what was just asked is rejected, and answers nobody."""
    announce(number, "v6 loads, and fails for a third of the readers: it is found in rehearsal")
    begun = time.time()
    wrong = stage.train("v6", WRONG)
    stage.tag(wrong, APPROVAL, "true")
    with stage.shown():
        move = stage.promote(wrong)
        stage.until(rejected(wrong), seconds=240)
    eprint(f"  rejected: {why(stage.status(), wrong)}")
    stage.calm()
    stage.record(number, title, begun, move)


def go_back(stage: Stage, number: int, title: str, good: str) -> None:
    """Act 9: without a rehearsal the like of it gets the traffic, which goes back by itself."""
    announce(number, "v7 is as wrong, and not rehearsed: the traffic goes back by its answers")
    begun = time.time()
    stage.change({"rollout": {"rehearsal": None}})
    wrong = stage.train("v7", WRONG)
    stage.story.went_back = wrong
    stage.tag(wrong, APPROVAL, "true")
    with stage.shown():
        move = stage.promote(wrong)
        stage.until(rejected(wrong), seconds=240)
        stage.until(serves(good), seconds=60)
    eprint(f"  rejected: {why(stage.status(), wrong)}")
    stage.calm()
    stage.record(number, title, begun, move)


def announce(number: int, line: str) -> None:
    """One line that says what is about to happen."""
    eprint(f"\nAct {number}: {line}")


def serves(version: str) -> str:
    """JSONPath: this version answers requests."""
    return f"{{.status.serving.version}}={version}"


def holds(gate: str) -> str:
    """JSONPath: this gate does not let the desired version through."""
    return f'{{.status.gates[?(@.gate=="{gate}")].result}}=Failed'


def message(status: Object, kind: str) -> str:
    """What a condition says."""
    return str(next(each["message"] for each in status["conditions"] if each["type"] == kind))


def rejected(version: str) -> str:
    """JSONPath: this version was rejected."""
    return f'{{.status.rejected[?(@.version=="{version}")].reason}}'


def why(status: Object, version: str) -> str:
    """Reason and message of a version's rejection."""
    record = next(each for each in status["rejected"] if each["version"] == version)
    return f"{record['reason']}: {record['message']}"
