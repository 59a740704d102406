"""Packages that a bundle brings, as `plan` has it: who installs, what is pinned, what waits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.manifests import render
from pennant_operator.decide.seen.observed import PackageIndex
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_testing.memory.object_builders import (
    IMAGES,
    INDEX,
    REGISTRY,
    model_deployment,
    version,
)
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import (
    PodTemplate,
    becomes_ready,
    crashed,
    fails,
    installs_other_packages,
    reports_no_packages,
)

pytestmark = pytest.mark.unit

BUNDLE = {"environment": "Bundle"}
CUSTOM = {"mode": "Custom", "image": "api:3", "port": 9000, "probes": {"readiness": {"exec": {}}}}


def bringing(
    number: int = 8, pods: PodTemplate = becomes_ready, index: PackageIndex | None = INDEX
) -> Simulation:
    """Version 7 serves with the packages of its image, and the next one is to bring its own."""
    sim = serving(7)
    sim.registry = replace(REGISTRY, index=index)
    sim.behaviour[str(number)] = pods
    sim.desired = version(number)
    sim.specify(serving=BUNDLE)
    return sim


def pins(sim: Simulation) -> dict[str, Any]:
    """The digests of what is pinned, by version."""
    data = sim.children.get("ConfigMap/rec-digests", {}).get("data", {})
    return {
        sim.versions[key.removeprefix("environment.")]: json.loads(text)["digest"]
        for key, text in data.items()
        if key.startswith("environment.")
    }


def variables(container: str, index: PackageIndex | None = INDEX, **serving: Any) -> dict[str, Any]:
    """The environment of a container of a pod."""
    parsed = parse_spec(model_deployment(serving=serving))
    manifest = render.deployment_of(parsed, version(7), "abc123", IMAGES, index)
    pod = manifest["spec"]["template"]["spec"]
    every = {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}
    return {each["name"]: each for each in every[container]["env"]}


def test_fetch_alone_reads_where_packages_come_from_and_whose_credentials_it_shows():
    fetch, serve = variables("fetch", **BUNDLE), variables("serve", **BUNDLE)
    assert serve.keys() - variables("serve").keys() == {"PENNANT_ENVIRONMENT"}
    assert fetch["PENNANT_ENVIRONMENT"] == serve["PENNANT_ENVIRONMENT"]
    assert fetch["PENNANT_INDEX_PASSWORD"]["valueFrom"] == {
        "secretKeyRef": {"name": "package-index", "key": "password", "optional": True}
    }
    assert fetch["PENNANT_PINNED_ENVIRONMENT"]["valueFrom"] == {
        "configMapKeyRef": {
            "name": "rec-digests",
            "key": "environment.abc123",
            "optional": True,
        }
    }


def test_an_index_without_credentials_names_no_secret():
    open_to_all = variables("fetch", replace(INDEX, credentials_secret=None), **BUNDLE)
    assert not {"PENNANT_INDEX_USERNAME", "PENNANT_INDEX_PASSWORD"} & open_to_all.keys()
    assert "PENNANT_INDEX_URL" in open_to_all


@pytest.mark.parametrize("container", ["fetch", "serve"])
def test_with_the_packages_of_the_image_a_pod_is_as_it_always_was(container: str):
    assert variables(container, environment="Image") == variables(container, None)


def test_a_server_of_the_users_own_has_the_packages_of_its_image():
    with pytest.raises(InvalidSpecError, match=r"^spec\.serving\.environment: .* take it out$"):
        parse_spec(model_deployment(serving={**CUSTOM, **BUNDLE}))
    assert parse_spec(model_deployment(serving={**CUSTOM, "environment": "Image"}))


def test_traffic_moves_when_all_pods_have_the_same_packages_which_are_pinned():
    sim = bringing()
    sim.run(8)
    assert sim.serving == "8"
    assert pins(sim) == {"8": "a" * 64}
    assert sim.status["serving"]["environment"] == "a" * 64
    assert sim.status["history"][0]["environment"] == "a" * 64
    assert "environment" not in sim.status["history"][1]


def test_a_switch_back_to_the_packages_of_the_image_rolls_and_unpins_nothing_that_is_alive():
    sim = bringing()
    sim.run(8)
    sim.specify(serving={})
    sim.run(8)
    assert sim.serving == "8"
    assert "environment" not in sim.status["serving"]
    assert pins(sim) == {"8": "a" * 64}


def test_pods_to_come_install_what_is_pinned_whatever_the_index_has_by_then():
    sim = bringing()
    sim.run(8)
    sim.packages = "b"
    sim.specify(replicas=4)
    sim.run(8)
    digests = {p.environment.digest for pods in sim.pods.values() for p in pods if p.environment}
    assert digests == {"a" * 64}
    assert sim.status["readyReplicas"] == 4


def test_going_back_brings_back_its_packages():
    sim = bringing()
    sim.run(8)
    sim.packages = "b"
    sim.desired = version(9)
    sim.run(8, seconds=60)
    assert pins(sim) == {"8": "a" * 64, "9": "b" * 64}
    sim.desired = version(8)
    sim.run(8)
    assert (sim.serving, sim.status["serving"]["environment"]) == ("8", "a" * 64)


def test_another_index_rolls_nothing_and_is_written_for_pods_to_come():
    sim = bringing()
    sim.run(12, seconds=60)
    sim.writes.clear()
    sim.registry = replace(REGISTRY, index=PackageIndex("https://other.example/simple"))
    sim.run(2)
    assert [write.manifest["metadata"]["name"] for write in sim.writes] == ["rec-registry"]
    data = sim.children["ConfigMap/rec-registry"]["data"]
    assert data["index-url"] == "https://other.example/simple"
    assert "extra-index-urls" not in data


def test_pods_with_different_packages_are_taken_down_and_new_ones_ask_anew():
    sim = bringing(pods=installs_other_packages)
    sim.run(4)
    assert sim.serving == "7"
    assert sim.status["summary"] == "Held"
    assert sim.status["candidate"]["reason"] == "DownloadFailed"
    assert "changed between two pods" in sim.status["candidate"]["message"]
    assert "rejected" not in sim.status
    assert pins(sim) == {}
    sim.behaviour.clear()
    sim.run(8, seconds=10)
    assert sim.serving == "8"


def test_pods_that_report_no_packages_are_held_and_their_image_is_named():
    sim = bringing(pods=reports_no_packages)
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert sim.status["candidate"]["reason"] == "ConfigurationError"
    assert IMAGES.fetch in sim.status["candidate"]["message"]


def test_pods_that_have_other_packages_than_are_pinned_are_rejected_as_other_bytes_are():
    sim = bringing()
    sim.run(8)
    sim.desired = version(9)
    sim.run(12, seconds=60)
    sim.behaviour["8"] = installs_other_packages
    sim.desired = version(8)
    sim.run(4)
    assert sim.serving == "9"
    assert sim.status["rejected"][0]["reason"] == "DigestMismatch"
    assert f"but {'a' * 64} was locked or pinned" in sim.status["rejected"][0]["message"]


@pytest.mark.parametrize("lost", ["deleted", "overwritten"])
def test_a_pin_that_somebody_lost_is_what_the_pods_with_traffic_have(lost: str):
    sim = bringing()
    sim.run(12, seconds=60)
    if lost == "deleted":
        del sim.children["ConfigMap/rec-digests"]
    else:
        config = sim.children["ConfigMap/rec-digests"]
        data = dict.fromkeys(config["data"], "{}")
        sim.children["ConfigMap/rec-digests"] = {**config, "data": data}
    sim.evict(next(slot for slot, pods in sim.pods.items() if pods))
    sim.packages = "b"
    sim.step()
    assert pins(sim) == {"8": "a" * 64}


def test_without_an_index_no_pod_is_begun_and_what_serves_goes_on():
    sim = bringing(index=None)
    sim.run(4)
    assert sim.writes == []
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert sim.condition("AliasInSync") == ("False", "ConfigurationError")
    assert sim.condition("Reconciling") == ("True", "ConfigurationError")
    assert sim.condition("Ready")[0] == "True"
    assert "ModelRegistry default" in sim.message("AliasInSync")
    assert "spec.environments.indexURL" in sim.message("AliasInSync")
    (event,) = [each for each in sim.events if each.reason == "RolloutHeld"]
    assert "spec.environments.indexURL" in event.message
    sim.registry = replace(REGISTRY, index=INDEX)
    sim.run(8)
    assert sim.serving == "8"


def test_an_alias_that_moves_without_an_index_is_held_and_is_nobodys_edit():
    sim = bringing()
    sim.run(12, seconds=60)
    sim.registry = REGISTRY
    sim.desired = version(9)
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("8", "Held")
    assert sim.condition("Reconciling") == ("False", "Settled")
    assert sim.condition("Stalled") == ("False", "NotStalled")


def test_a_rejection_that_is_lifted_begins_no_pod_without_an_index():
    sim = bringing(pods=fails("LoadFailed"))
    sim.run(6)
    assert sim.status["summary"] == "Rejected"
    sim.registry = REGISTRY
    sim.desired = version(9)
    sim.run(4, seconds=60)
    sim.writes.clear()
    sim.desired = version(8)
    sim.run(4)
    assert sim.writes == []
    assert sim.condition("AliasInSync") == ("False", "ConfigurationError")


def test_where_nothing_serves_an_index_that_is_missing_is_a_persons_turn():
    sim = Simulation(version(8), owner=model_deployment(serving=BUNDLE))
    sim.run(4)
    assert sim.writes == []
    assert sim.condition("Stalled") == ("True", "ConfigurationError")


def test_what_serves_and_what_is_warm_needs_no_index_any_more():
    sim = bringing()
    sim.run(8)
    sim.desired = version(9)
    sim.run(5)
    assert sim.serving == "9"
    sim.registry = REGISTRY
    sim.run(2)
    assert sim.condition("AliasInSync") == ("True", "InSync")
    sim.behaviour["9"] = crashed(sim.now)
    sim.run(4)
    assert sim.serving == "8"
