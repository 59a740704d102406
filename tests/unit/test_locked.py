"""Packages that a version's tag locks: which tag does, and that they stay the revision's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.goal.locked import lock_refusal
from pennant_operator.decide.manifests import render
from pennant_operator.decide.seen.observed import ModelVersion, PackageIndex
from pennant_operator.decide.seen.revision import Record, revision_of
from pennant_operator.decide.seen.spec import parse_spec
from pennant_registry import lock_form
from pennant_registry.lock_form import EnvironmentLock
from pennant_registry.names import TAG_VALUE_LIMIT
from pennant_testing.memory.object_builders import (
    IMAGES,
    INDEX,
    REGISTRY,
    locked,
    model_deployment,
    version,
)
from pennant_testing.memory.silences import SILENT
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import installs_other_packages

pytestmark = pytest.mark.unit

BUNDLE = {"environment": "Bundle"}
LOCK = {"digest": "a" * 64, "python": "3.12", "pins": "x"}
NO_LOCKS = {
    "no JSON": ("pinned", "is no JSON"),
    "deep": ("[" * 4000, "is no JSON"),
    "no object": ('["a"]', "is no JSON object"),
    "no digest": (json.dumps({**LOCK, "digest": None}), "has no text for digest"),
    "another digest": (json.dumps({**LOCK, "digest": "A" * 64}), "that is not 64 hexadecimal"),
    "no python": (json.dumps({**LOCK, "python": ""}), "has no text for python"),
    "another python": (json.dumps({**LOCK, "python": "3.12.1"}), "that is not major.minor"),
    "pins that are a list": (json.dumps({**LOCK, "pins": ["x"]}), "has no text for pins"),
    "too long": (json.dumps({**LOCK, "pins": "x" * TAG_VALUE_LIMIT}), "characters, and a lock"),
}


def tagged(number: int, lock: str | None = None) -> ModelVersion:
    return replace(version(number), environment=locked() if lock is None else lock)


def scene(lock: str | None = None) -> Simulation:
    """Version 7 serves with the packages of its image, and 8 is locked to some."""
    sim = serving(7)
    sim.specify(serving=BUNDLE)
    sim.registry = replace(REGISTRY, index=INDEX)
    sim.desired = tagged(8, lock)
    return sim


def environment(sim: Simulation) -> str | None:
    digest: str | None = sim.status["serving"].get("environment")
    return digest


@given(st.text(min_size=1, max_size=200), st.sampled_from(["3.11", "3.12", "4.0"]))
def test_what_is_written_is_read(pins: str, python: str):
    lock = EnvironmentLock("0123456789abcdef" * 4, python, pins)
    assert lock_form.read(lock_form.written(lock)) == lock


@pytest.mark.parametrize(("value", "problem"), NO_LOCKS.values(), ids=NO_LOCKS)
def test_a_tag_that_locks_nothing_is_refused_with_its_name_its_value_and_what_to_do(
    value: str, problem: str
):
    refused = lock_refusal(tagged(8, value), "default")
    assert refused is not None
    assert (refused.reason, refused.version) == ("ConfigurationError", "8")
    begins = f"ModelRegistry default: the version's tag pennant.environment {value[:100]!r}"
    assert refused.message.startswith(begins)
    assert problem in refused.message
    assert "write it anew by `pennant lock`" in refused.message
    assert len(refused.message) < 500


def fetch_variables(of: ModelVersion, **serving: Any) -> dict[str, Any]:
    spec = parse_spec(model_deployment(serving=serving))
    pod = render.deployment_of(spec, of, "abc123", IMAGES, INDEX)["spec"]["template"]["spec"]
    return {each["name"]: each for each in pod["initContainers"][0]["env"]}


def test_the_tag_is_all_that_fetch_installs_by_and_only_where_it_installs():
    pinned = fetch_variables(tagged(8), **BUNDLE)["PENNANT_PINNED_ENVIRONMENT"]
    assert pinned.keys() == {"name", "value"}
    assert fetch_variables(tagged(8)) == fetch_variables(version(8))


def test_a_version_without_the_tag_is_called_as_ever_and_one_whose_pods_install_nothing_too():
    identity = {"registry": "r", "model": "m", "version": "7", "created": 1}
    assert revision_of(**identity, serving={}, environment=locked()) == "d50d035cc1"
    plain = revision_of(**identity, serving=BUNDLE)
    assert plain == revision_of(**identity, serving=BUNDLE, environment=None)
    names = {
        revision_of(**identity, serving=BUNDLE, environment=each)
        for each in (None, locked("a"), locked("b"))
    }
    assert len(names) == 3


def test_a_locked_version_serves_with_its_packages_which_need_no_pin():
    sim = scene()
    sim.run(8)
    assert (sim.serving, environment(sim)) == ("8", "d" * 64)
    assert sim.status["history"][0]["environment"] == "d" * 64
    revision = sim.status["serving"]["revision"]
    data = sim.children.get("ConfigMap/rec-digests", {}).get("data", {})
    assert f"environment.{revision}" not in data
    record = next(each for each in _records(sim) if each.version == "8")
    assert (record.environment, record.with_spec(BUNDLE, None)) == (locked(), revision)


def test_pods_that_have_other_packages_than_the_lock_are_rejected_as_other_bytes_are():
    sim = scene()
    sim.behaviour["8"] = installs_other_packages
    sim.run(6)
    assert sim.serving == "7"
    (rejection,) = sim.status["rejected"]
    assert rejection["reason"] == "DigestMismatch"
    assert f"but {'d' * 64} was locked or pinned" in rejection["message"]


def test_a_tag_that_is_no_lock_is_held_before_any_pod_and_tried_again_when_it_changes():
    for again in (tagged(8), version(8)):
        sim = scene("pinned")
        before = sim.children.keys()
        sim.run(4)
        assert (sim.serving, sim.status["summary"]) == ("7", "Held")
        assert sim.condition("AliasInSync") == ("False", "ConfigurationError")
        assert sim.condition("Stalled") == ("False", "NotStalled")
        assert sim.children.keys() == before
        sim.desired = again
        sim.run(8)
        assert sim.serving == "8"


def test_where_the_packages_are_the_images_a_tag_that_is_no_lock_stops_nothing():
    sim = serving(7)
    sim.desired = tagged(8, "pinned")
    sim.run(8)
    assert sim.serving == "8"


@pytest.mark.parametrize("now", [None, locked("e"), "pinned"])
def test_law_5_a_lock_that_changes_once_the_version_is_recorded_rolls_nothing(now: str | None):
    sim = scene()
    sim.run(8)
    sim.run(3, seconds=120)
    sim.writes.clear()
    sim.desired = replace(version(8), environment=now)
    sim.run(6)
    assert (sim.writes, environment(sim)) == ([], "d" * 64)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_law_5_a_lock_that_comes_once_the_version_is_recorded_rolls_nothing():
    sim = scene()
    sim.desired = version(8)
    sim.run(8)
    sim.run(3, seconds=120)
    sim.writes.clear()
    sim.desired = tagged(8)
    sim.run(6)
    assert (sim.writes, environment(sim)) == ([], "a" * 64)


def test_law_5_a_record_that_somebody_deleted_takes_no_lock_away():
    sim = scene()
    sim.run(8)
    sim.run(3, seconds=120)
    revision = sim.status["serving"]["revision"]
    del sim.records[revision]
    sim.run(6)
    assert (sim.status["serving"]["revision"], environment(sim)) == (revision, "d" * 64)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_a_silent_registry_needs_no_word_for_a_lock_that_is_recorded():
    sim = scene()
    sim.run(8)
    sim.run(3, seconds=120)
    before = sim.status["serving"]["revision"]
    sim.desired = SILENT
    sim.specify(serving={"adapter": "pyfunc", **BUNDLE})
    sim.run(8)
    assert sim.status["serving"]["revision"] != before
    assert environment(sim) == "d" * 64


def test_a_locked_version_needs_an_index_too():
    sim = scene()
    sim.registry = REGISTRY
    sim.run(4)
    assert (sim.serving, sim.condition("AliasInSync")[1]) == ("7", "ConfigurationError")
    sim.registry = replace(REGISTRY, index=PackageIndex("https://other.example/simple"))
    sim.run(8)
    assert (sim.serving, environment(sim)) == ("8", "d" * 64)


def _records(sim: Simulation) -> list[Record]:
    """As they are read of what was written."""
    return [*sim.own_records().values()]
