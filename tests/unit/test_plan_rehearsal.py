"""A rehearsal, as `plan` has it: who gets the token, who rehearses, and who does not any more."""

from __future__ import annotations

from typing import Any

import pytest

from pennant_operator.decide.intent import Create, CreateToken
from pennant_operator.decide.manifests import render
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_serving.settings import Settings
from pennant_testing.memory.object_builders import IMAGES, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import PodTemplate, becomes_ready, crashed, fails

pytestmark = pytest.mark.unit

ROLLOUT = {"bake": "2m", "rehearsal": {}}
CUSTOM = {"mode": "Custom", "image": "api:3", "port": 9000, "probes": {"readiness": {"exec": {}}}}


def rehearsing(pods: PodTemplate = becomes_ready) -> Simulation:
    """Version 7 serves and remembers requests, and the alias points at 8."""
    return alias_moved(pods=pods, rollout=ROLLOUT)


def pins(sim: Simulation) -> dict[str, str]:
    data: dict[str, str] = sim.children.get("ConfigMap/rec-digests", {}).get("data", {})
    return data


def marked(sim: Simulation) -> set[str]:
    """The versions whose pods rehearse no more."""
    prefix = "had-traffic."
    marks = {key.removeprefix(prefix) for key in pins(sim) if key.startswith(prefix)}
    return {sim.versions[revision] for revision in marks}


def variables(container: str, **spec: Any) -> dict[str, Any]:
    """The environment of a container of a pod."""
    parsed = parse_spec(model_deployment(**spec))
    manifest = render.deployment_of(parsed, version(7), "abc123", IMAGES)
    pod = manifest["spec"]["template"]["spec"]
    every = {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}
    return {each["name"]: each for each in every[container]["env"]}


def test_to_set_it_writes_nothing_and_rolls_nothing():
    sim = serving(7)
    sim.specify(rollout=ROLLOUT)
    sim.run(4)
    assert sim.writes == []


def test_the_token_is_made_before_the_first_pod_that_wants_it():
    sim = serving(7)
    sim.specify(rollout=ROLLOUT)
    sim.desired = version(8)
    sim.step()
    made = [write for write in sim.writes if isinstance(write, CreateToken | Create)]
    assert [type(write) for write in made] == [CreateToken, Create]
    meta = made[0].manifest["metadata"]
    assert meta["name"] == "rec-rehearsal-uid-of-r"
    assert meta["ownerReferences"][0]["uid"] == "uid-of-rec"
    assert "data" not in made[0].manifest


def test_without_it_no_secret_is_made():
    sim = alias_moved()
    sim.run(8)
    assert sim.serving == "8"
    assert sim.tokens == set()


def test_serve_alone_has_the_token_and_may_go_without():
    assert "PENNANT_REHEARSAL_TOKEN" not in variables("serve")
    assert not any("REHEARSAL" in name for name in variables("fetch", rollout=ROLLOUT))
    token = variables("serve", rollout=ROLLOUT)["PENNANT_REHEARSAL_TOKEN"]
    secret = {"name": "rec-rehearsal-uid-of-r", "key": "token", "optional": True}
    assert token["valueFrom"] == {"secretKeyRef": secret}


def test_serve_reads_what_is_written_in_the_spec():
    fields = {"requests": 50, "errors": "0.01", "slower": "2.5", "agreement": "0.8"}
    env = variables("serve", rollout={"rehearsal": fields})
    values = {name: each["value"] for name, each in env.items() if "value" in each}
    settings = Settings.from_env(values | {"PENNANT_REHEARSAL_TOKEN": "the-token"})
    assert settings.remembers
    assert settings.rehearsal_requests == 50
    assert settings.rehearsal_errors == 0.01
    assert settings.rehearsal_slower == 2.5
    assert settings.rehearsal_agreement == 0.8
    assert settings.rehearsal_address == "rec:80"
    assert not settings.had_traffic
    assert "the-token" not in repr(settings)


def test_a_version_that_fails_it_is_rejected_and_what_serves_goes_on():
    sim = rehearsing(fails("RehearsalFailed"))
    sim.run(8)
    assert sim.serving == "7"
    assert sim.status["summary"] == "Rejected"
    assert sim.status["rejected"][0]["reason"] == "RehearsalFailed"
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert marked(sim) == {"7"}


def test_what_has_had_the_traffic_rehearses_no_more():
    sim = rehearsing()
    sim.run(6)
    assert sim.serving == "8"
    assert marked(sim) == {"7", "8"}
    environment = variables("serve", rollout=ROLLOUT)["PENNANT_HAD_TRAFFIC"]["valueFrom"]
    named = {"name": "rec-digests", "key": "had-traffic.abc123", "optional": True}
    assert environment == {"configMapKeyRef": named}


def test_it_is_written_down_before_the_traffic_moves():
    sim = rehearsing()
    sim.run(6)
    written = [w.manifest["kind"] for w in sim.writes if hasattr(w, "manifest")]
    assert "ConfigMap" in written[: written.index("Service")]


def test_a_candidate_is_not_excused():
    sim = rehearsing(fails("LoadFailed", attempts=1))
    sim.run(6)
    assert marked(sim) == {"7"}


def test_what_was_rejected_in_its_bake_rehearses_when_it_is_tried_again():
    sim = rehearsing()
    sim.run(6)
    sim.behaviour["8"] = crashed(sim.now)
    sim.run(12)
    assert (sim.serving, sim.status["rejected"][0]["reason"]) == ("7", "CrashedInBake")
    assert marked(sim) == {"7"}


def test_a_mark_that_somebody_takes_away_is_written_again_and_then_nothing_more():
    sim = rehearsing()
    sim.run(6)
    del sim.children["ConfigMap/rec-digests"]
    sim.run(4)
    assert marked(sim) == {"7", "8"}
    sim.writes.clear()
    sim.run(4)
    assert sim.writes == []


def test_the_digests_that_were_pinned_stay_beside_the_marks():
    sim = alias_moved(rollout=ROLLOUT)
    sim.desired = version(8, tag=False)
    sim.run(8)
    (pinned,) = (value for key, value in pins(sim).items() if not key.startswith("had-traffic."))
    assert pinned == "sha-of-8"


@pytest.mark.parametrize(
    ("rehearsal", "serving_as", "message"),
    [
        ({}, CUSTOM, "spec.rollout.rehearsal: a server of mode Custom rehearses nothing"),
        ({"errors": "1.5"}, {}, "spec.rollout.rehearsal.errors: '1.5' is no decimal in quotes"),
        ({"slower": "twice"}, {}, "spec.rollout.rehearsal.slower: 'twice' is no decimal"),
        ({"agreement": 1}, {}, "spec.rollout.rehearsal.agreement: 1 is no decimal in quotes"),
    ],
)
def test_what_cannot_be_is_refused_by_name(rehearsal, serving_as, message):
    owner = model_deployment(rollout={"rehearsal": rehearsal}, serving=serving_as)
    with pytest.raises(InvalidSpecError, match=message):
        parse_spec(owner)
