"""The four acts of `make demo STRATEGY=...`: how one strategy moves the traffic there and back.

A version is promoted, one that is wrong is promoted, and the alias goes back.
"""

import time

from pennant_dev.demo import acts
from pennant_dev.demo.kube import Object
from pennant_dev.demo.stage import READY, Stage
from pennant_dev.demo.story import Story
from pennant_dev.shell import eprint

STEPS = [{"weight": "10", "pause": "8s"}, {"weight": "50", "pause": "8s"}]
ROLLOUTS: dict[str, Object] = {
    "BlueGreen": {},
    "Rolling": {"rolling": {"maxSurge": 1, "maxUnavailable": 0}},
    "Recreate": {},
    "Canary": {"canary": {"steps": STEPS}},
}
PROMOTED = {
    "BlueGreen": "all pods of v2 come up beside v1's, then all traffic moves",
    "Rolling": "pods are exchanged one by one, and both versions answer meanwhile",
    "Recreate": "the pods of v1 end first; the lobby holds requests until v2 can answer them",
    "Canary": "v2 gets 10 %, then 50 % of the requests, then all",
}
BACK = {"Canary": "v1 was good here, so that it gets all at once"}
# Who asks waits as long as the lobby does.
PATIENT = {"Recreate": ("--timeout=60", "--in-flight=2000")}
# Where a few requests are enough to tell, a version that loads and answers wrongly is sent.
WRONG = {"Canary": (acts.WRONG, "v3 fails for a third of its readers, who are answered by v2")}
BROKEN = ("--broken=load", "v3 cannot load, and what served serves on")


def play(stage: Stage, strategy: str) -> Story:
    """All acts, in order; DevError at the first that does not happen as announced."""
    stage.story.title = f"Traffic follows the alias: {strategy}"
    first, second = acts.opening(stage)
    stage.change({"rollout": {"strategy": strategy, **ROLLOUTS[strategy]}})
    _promote(stage, 2, "v2 is promoted", second, PROMOTED[strategy])
    _refuse(stage, 3, *WRONG.get(strategy, BROKEN))
    _promote(stage, 4, "the alias goes back to v1", first, BACK.get(strategy, "the same way"))
    stage.traffic.stop()
    stage.story.rows = stage.traffic.rows
    stage.story.heard = stage.heard()
    return stage.story


def _promote(stage: Stage, number: int, title: str, version: str, how: str) -> None:
    acts.announce(number, f"{title}: {how}")
    begun = time.time()
    with stage.shown():
        move = stage.promote(version)
        stage.until(acts.serves(version), seconds=240)
        stage.until(acts.SETTLED, seconds=120)
    stage.calm()
    stage.record(number, title, begun, move)


def _refuse(stage: Stage, number: int, how: str, line: str) -> None:
    acts.announce(number, f"v3 is promoted: {line}")
    begun = time.time()
    wrong = stage.train("v3", how)
    with stage.shown():
        move = stage.promote(wrong)
        stage.until(acts.rejected(wrong), seconds=240)
        stage.until(READY, seconds=60)
    eprint(f"  rejected: {acts.why(stage.status(), wrong)}")
    stage.calm()
    stage.record(number, "v3 is promoted, and refused", begun, move)
