"""spec.mirror: another ModelDeployment gets copies of requests, and the status says how it does."""

import json
from typing import Any

import pytest

from pennant_operator.decide.plan import wants_pods
from pennant_operator.decide.seen.mirror import Mirrored
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, serving

pytestmark = pytest.mark.unit

MIRROR = {"to": "challenger", "percent": "10"}
TO = "challenger.team.svc:80"


def mirrored(**spec: Any) -> Simulation:
    """Version 7 serves, its bake is over, and a challenger gets copies."""
    sim = serving(7, **spec)
    sim.answers = {"7": answered(900), "8": answered(900)}
    sim.specify(mirror=MIRROR)
    sim.run(3, seconds=10)
    return sim


def copies(sim: Simulation) -> list[Any]:
    """What each pod with traffic is told to copy."""
    assert sim.active is not None
    told = (json.loads(pod.shares or "{}") for pod in sim.pods[sim.active[0]])
    return [each.get("mirror") for each in told]


def test_pods_with_traffic_are_told_and_are_looked_at_every_ten_seconds():
    sim = mirrored()
    assert copies(sim) == [{"to": TO, "percent": "10"}] * 2
    assert sim.status["mirror"] == {
        "to": "challenger",
        "revision": sim.status["serving"]["revision"],
    }
    decision = sim.step(10)
    assert (decision.writes, decision.requeue_after) == ((), 10.0)
    assert sim.status["summary"] == "Serving"


def test_it_is_in_the_status_before_a_pod_is_told():
    sim = serving(7)
    sim.specify(mirror=MIRROR)
    assert sim.step().writes == ()
    assert sim.status["mirror"]["to"] == "challenger"
    assert sim.step().writes != ()


def test_figures_are_written_when_one_of_them_has_doubled():
    sim = mirrored()
    sim.mirrored = Mirrored(TO, 50, 40, 1, 0, 0.25, 0.01, 0.02)
    sim.step(10)
    figures = {
        "compared": 50,
        "agreed": 40,
        "failed": 1,
        "dropped": 0,
        "distance": "0.250000",
        "ownSeconds": "0.010000",
        "theirSeconds": "0.020000",
    }
    assert sim.status["mirror"].items() >= figures.items()
    sim.mirrored = Mirrored(TO, 99, 85, 1, 0, 0.2, 0.01, 0.02)
    sim.step(10)
    assert sim.status["mirror"]["compared"] == 50
    sim.mirrored = Mirrored(TO, 60, 45, 30, 0, 0.2, 0.01, 0.02)
    sim.step(10)
    assert (sim.status["mirror"]["compared"], sim.status["mirror"]["failed"]) == (60, 30)


def test_figures_of_another_challenger_are_none_of_this_one():
    sim = mirrored()
    sim.mirrored = Mirrored("earlier.team.svc:80", 50, 40, 1, 0)
    sim.step(10)
    assert "compared" not in sim.status["mirror"]
    sim.mirrored = Mirrored(TO, 50, 40, 1, 0)
    sim.step(10)
    sim.specify(mirror={"to": "another", "percent": "10"})
    sim.run(2)
    assert sim.status["mirror"].keys() == {"to", "revision"}
    assert copies(sim)[0]["to"] == "another.team.svc:80"


def test_pods_that_cannot_be_asked_are_told_of():
    sim = mirrored()
    sim.answers["7"] = "pods do not answer within 1 s"
    sim.step(10)
    assert sim.status["mirror"]["unread"] == "pods do not answer within 1 s"
    sim.answers["7"] = answered(900)
    sim.step(10)
    assert "unread" not in sim.status["mirror"]


def test_once_it_is_out_of_the_spec_pods_are_told_so_and_nobody_looks_any_more():
    sim = mirrored()
    spec = {name: value for name, value in sim.owner["spec"].items() if name != "mirror"}
    sim.owner = {**sim.owner, "spec": spec}
    sim.run(3)
    assert copies(sim) == [None, None]
    assert "mirror" not in sim.status
    assert not wants_pods(sim.observe(), sim.now)


@pytest.mark.parametrize("strategy", ["BlueGreen", "Canary"])
def test_whichever_version_has_the_traffic_copies(strategy: str):
    steps = {"steps": [{"weight": "20", "pause": "0s"}]}
    sim = mirrored(rollout={"bake": "2m", "strategy": strategy, "canary": steps})
    sim.desired = version(8)
    sim.run(10)
    assert sim.serving == "8"
    assert copies(sim) == [{"to": TO, "percent": "10"}] * 2
    assert sim.status["mirror"]["revision"] == sim.status["serving"]["revision"]
    assert {pod.shares for pod in sim.pods["blue"]} == {""}


def test_a_canary_and_a_mirror_are_told_together():
    sim = mirrored(rollout={"strategy": "Canary", "canary": {"steps": [{"weight": "20"}]}})
    sim.desired = version(8)
    sim.run(6)
    told = json.loads(sim.pods["blue"][0].shares)
    assert (told["handOver"]["percent"], told["mirror"]["to"]) == ("20", TO)


def test_a_record_from_before_there_were_shares_copies_nothing_and_the_status_says_so():
    sim = serving(7)
    (revision,) = sim.records
    serve = sim.records[revision].container
    serve["env"] = [each for each in serve["env"] if each["name"] != "PENNANT_TRAFFIC_FILE"]
    sim.specify(mirror=MIRROR)
    sim.run(3)
    assert copies(sim) == [None, None]
    assert "before its pods could copy requests" in sim.status["mirror"]["unread"]


def test_at_no_pods_there_is_nothing_to_copy():
    sim = mirrored()
    sim.specify(replicas=0)
    sim.run(4)
    assert "mirror" not in sim.status
    assert sim.step().requeue_after is None


@pytest.mark.parametrize(
    ("mirror", "serving_spec", "why"),
    [
        ({"to": "rec", "percent": "10"}, {}, "'rec' is this ModelDeployment itself"),
        (
            MIRROR,
            {"mode": "Custom", "image": "api:1", "port": 9000, "probes": {"readiness": {}, "a": 1}},
            "a server of mode Custom copies no requests",
        ),
    ],
)
def test_what_cannot_be_copied_is_said(mirror, serving_spec, why):
    sim = serving(7)
    sim.specify(mirror=mirror, serving=serving_spec)
    sim.run(2)
    assert sim.condition("Stalled") == ("True", "InvalidSpec")
    assert why in sim.message("Stalled")
