"""The three acts of `make demo STRATEGY=Mirror`: a challenger gets copies, and becomes champion.

Champion and challenger are two ModelDeployments of one model, on two aliases.
"""

import time

from pennant_dev.demo import acts
from pennant_dev.demo.kube import Object
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.stage import CHALLENGER, CHALLENGER_ALIAS, NAME, READY, Stage
from pennant_dev.demo.story import Story
from pennant_dev.shell import DevError, eprint

PERCENT = "50"
COMPARED = 100


def play(stage: Stage) -> Story:
    """All acts, in order; DevError at the first that does not happen as announced."""
    stage.story.title = "Champion and challenger"
    _, second = acts.opening(stage)
    _challenge(stage, 2, "v2 gets copies", second)
    acts.follow(stage, 3, "v2 is promoted", second)
    stage.traffic.stop()
    stage.story.rows = stage.traffic.rows
    stage.story.heard = stage.heard()
    return stage.story


def _challenge(stage: Stage, number: int, title: str, version: str) -> None:
    acts.announce(number, f"v2 gets copies of {PERCENT} % of the requests, and answers nobody")
    begun = time.time()
    stage.point(CHALLENGER_ALIAS, version)
    stage.kube.create(challenger(stage.kube.get("modeldeployment", NAME, NAMESPACE) or {}))
    stage.kube.wait_for(READY, "modeldeployment", CHALLENGER, NAMESPACE, seconds=180)
    stage.change({"mirror": {"to": CHALLENGER, "percent": PERCENT}})
    mirrored = stage.seen(lambda status: _compared(status.get("mirror") or {}), seconds=90)
    eprint(f"  status.mirror: {', '.join(f'{name} {value}' for name, value in mirrored.items())}")
    stage.calm()
    stage.record(number, title, begun)


def challenger(champion: Object) -> Object:
    """A ModelDeployment like the champion's, smaller, and on the other alias."""
    if not champion:
        raise DevError(f"no ModelDeployment {NAME}")
    spec = champion["spec"]
    return {
        "apiVersion": champion["apiVersion"],
        "kind": champion["kind"],
        "metadata": {"name": CHALLENGER, "namespace": NAMESPACE},
        "spec": {**spec, "model": {**spec["model"], "alias": CHALLENGER_ALIAS}, "replicas": 1},
    }


def _compared(mirrored: Object) -> Object | None:
    """The figures, once there are enough of them."""
    return mirrored if mirrored.get("compared", 0) >= COMPARED else None
