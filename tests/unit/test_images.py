"""A version brings its own image: which may run, and that it is the revision's for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.manifests.render import deployment_of
from pennant_operator.decide.registry.images import IMAGE_CHARACTERS_LIMIT, image_refusal
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.revision import Record, record_data, revision_of
from pennant_operator.decide.seen.spec import parse_spec
from pennant_testing.memory.object_builders import IMAGES, REGISTRY, model_deployment, version
from pennant_testing.memory.silences import SILENT
from pennant_testing.memory.simulated_cluster import Simulation, serving

pytestmark = pytest.mark.unit

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER_DIGEST = "sha256:" + "f" * 64
NEWS = f"registry.example.com/ml/news@{DIGEST}"
ALLOWED = ("registry.example.com/ml/*@sha256:*",)
SERVER = {
    "mode": "Custom",
    "image": "api:1",
    "port": 9000,
    "probes": {"readiness": {"tcpSocket": {}}},
}


def tagged(number: int, image: str | None = NEWS) -> ModelVersion:
    return replace(version(number), image=image)


def scene(*allowed: str, **spec: Any) -> Simulation:
    """Version 7 serves, without an image of its own."""
    sim = serving(7, **spec)
    sim.registry = replace(REGISTRY, allowed_images=allowed)
    return sim


def images(sim: Simulation) -> set[str]:
    """Of all pods that there should be."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in map(sim.deployment, sim.sizes())
        if each and each["spec"]["replicas"]
    }


@pytest.mark.parametrize(
    "image",
    [
        NEWS,
        f"registry.example.com/ml/team/news:1.2_x@{DIGEST}",
        f"registry.example.com/ml/a__b.c--d@{DIGEST}",
    ],
)
def test_what_is_pinned_and_matches_may_run(image: str):
    assert image_refusal(image, ALLOWED, registry="default") is None


@pytest.mark.parametrize("image", [f"localhost:5000/news@{DIGEST}", f"news@{DIGEST}"])
def test_where_all_may_run_a_port_and_a_bare_name_do(image: str):
    assert image_refusal(image, ("*",), registry="default") is None


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/ml/news",
        "registry.example.com/ml/news:1.2",
        "registry.example.com/ml/news@sha256:*",
        f"registry.example.com/ml/news@{DIGEST[:-1]}",
        f"registry.example.com/ml/news@{DIGEST}0",
        f"registry.example.com/ml/news@{DIGEST.upper()}",
        f"registry.example.com/ml/../other/news@{DIGEST}",
        f"registry.example.com/ml//news@{DIGEST}",
        f"registry.example.com/ml/news@{DIGEST}\n",
        f" {NEWS}",
        f"registry.example.com/ml/{'a' * IMAGE_CHARACTERS_LIMIT}@{DIGEST}",
        f"registry.example.com/ml/{'a.' * 2500}@{DIGEST}",
    ],
)
def test_what_is_no_name_with_a_digest_is_refused_whatever_is_allowed(image: str):
    refused = image_refusal(image, ("*",), registry="default")
    assert refused is not None
    assert refused.reason == "ImageNotAllowed"
    assert "is not pinned by its digest" in refused.message
    assert len(refused.message) < 500


@pytest.mark.parametrize(
    ("image", "allowed", "those"),
    [
        (f"registry.example.com.evil/ml/news@{DIGEST}", ALLOWED, f"({ALLOWED[0]})"),
        (f"evil.example/registry.example.com/ml/x@{DIGEST}", ALLOWED, f"({ALLOWED[0]})"),
        (NEWS, (NEWS[:-1], "other/*"), f"({NEWS[:-1]}, other/*)"),
        (NEWS, (), "(there are none)"),
    ],
)
def test_a_refusal_names_the_tag_its_value_and_the_field(
    image: str, allowed: tuple[str, ...], those: str
):
    refused = image_refusal(image, allowed, registry="default")
    assert refused is not None
    begins = f"ModelRegistry default: the version's tag pennant.image '{image}' is none of its"
    assert refused.message.startswith(f"{begins} spec.allowedImages {those}:")


@pytest.mark.parametrize("serving", [{}, {"image": "news:1"}, SERVER])
def test_the_tag_is_the_image_of_the_server_and_never_of_fetch(serving: dict[str, Any]):
    spec = parse_spec(model_deployment(serving=serving))
    pod = deployment_of(spec, tagged(7), "abc", IMAGES)["spec"]["template"]["spec"]
    assert [each["image"] for each in pod["containers"]] == [NEWS]
    assert [each["image"] for each in pod["initContainers"]] == [IMAGES.fetch]


def test_a_version_without_the_tag_is_called_and_recorded_as_ever():
    identity = {"registry": "r", "model": "m", "version": "7", "created": 1, "serving": {}}
    assert revision_of(**identity) == revision_of(**identity, image=None) == "d50d035cc1"
    sim = serving(7)
    assert [each.keys() & {"image"} for each in map(record_data, _records(sim))] == [set()]


def test_a_version_with_an_allowed_tag_serves_from_its_image():
    sim = scene(*ALLOWED)
    sim.desired = tagged(8)
    sim.run(6)
    assert (sim.serving, sim.status["serving"]["image"]) == ("8", NEWS)
    record = next(each for each in _records(sim) if each.version == "8")
    assert record.image == NEWS
    assert record.with_spec({}, None) == sim.status["serving"]["revision"]


@pytest.mark.parametrize(
    ("image", "allowed"),
    [(NEWS, ()), (NEWS, ("registry.example.com/other/*",)), ("news:1", ("*",))],
)
def test_a_refused_one_is_held_before_any_pod_and_stops_nothing_that_serves(image, allowed):
    sim = scene(*allowed)
    before = sim.children
    sim.desired = tagged(8, image)
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert sim.status["desired"]["version"] == "8"
    assert sim.condition("Ready")[0] == "True"
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "ImageNotAllowed")
    assert [event.reason for event in sim.events] == ["AliasMoved", "RolloutHeld"]
    assert "pennant.image" in sim.events[1].message
    assert images(sim) == {IMAGES.serving}
    assert sim.children.keys() == before.keys()


def test_where_nothing_serves_it_is_stalled():
    sim = Simulation(tagged(7))
    sim.run(4)
    assert sim.condition("Stalled") == ("True", "ImageNotAllowed")
    assert images(sim) == set()


def test_it_is_tried_again_when_the_tag_changes_or_the_registry_does():
    for again in (
        {"desired": tagged(8, NEWS)},
        {"desired": tagged(8, None)},
        {"registry": replace(REGISTRY, allowed_images=("*",))},
    ):
        sim = scene(*ALLOWED)
        sim.desired = tagged(8, f"elsewhere@{DIGEST}")
        sim.run(2)
        vars(sim).update(again)
        sim.run(6)
        assert sim.serving == "8"


@pytest.mark.parametrize("now", [None, f"registry.example.com/ml/x@{OTHER_DIGEST}", "news:1"])
def test_law_5_a_tag_that_changes_once_the_version_is_recorded_rolls_nothing(now: str | None):
    sim = scene(*ALLOWED)
    sim.desired = tagged(8)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.writes.clear()
    sim.desired = tagged(8, now)
    sim.run(6)
    assert (sim.writes, sim.status["serving"]["image"]) == ([], NEWS)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_law_5_a_record_that_somebody_deleted_takes_no_image_away():
    sim = scene(*ALLOWED)
    sim.desired = tagged(8)
    sim.run(6)
    sim.run(3, seconds=120)
    revision = sim.status["serving"]["revision"]
    del sim.records[revision]
    sim.run(6)
    assert (sim.status["serving"]["revision"], images(sim)) == (revision, {NEWS})
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_law_5_a_tag_that_comes_once_the_version_is_recorded_rolls_nothing():
    sim = scene(*ALLOWED)
    sim.desired = tagged(7)
    sim.run(6)
    assert (sim.writes, images(sim)) == ([], {IMAGES.serving})
    sim.specify(serving={"adapter": "pyfunc"})
    sim.run(6)
    assert images(sim) == {IMAGES.serving}


def test_what_serves_goes_on_when_its_image_is_not_allowed_any_more():
    sim = scene(*ALLOWED)
    sim.desired = tagged(8)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.registry = REGISTRY
    sim.run(4)
    assert (sim.serving, sim.condition("Ready")[0]) == ("8", "True")
    assert sim.condition("AliasInSync") == ("False", "ImageNotAllowed")


@pytest.mark.parametrize(("allowed", "rolls"), [(ALLOWED, True), ((), False)])
def test_a_silent_registry_needs_no_word_for_what_is_recorded_and_allowed(allowed, rolls):
    sim = scene(*ALLOWED)
    sim.desired = tagged(8)
    sim.run(6)
    sim.run(3, seconds=120)
    before = sim.status["serving"]["revision"]
    sim.registry = replace(REGISTRY, allowed_images=allowed)
    sim.desired = SILENT
    sim.specify(serving={"adapter": "pyfunc"})
    sim.run(6)
    assert (sim.status["serving"]["revision"] != before) is rolls
    assert sim.status["serving"]["image"] == NEWS


def of_python(python: str) -> Simulation:
    """Version 7 serves, and the next one's pods are to have a Python."""
    sim = scene()
    sim.desired = version(8)
    sim.specify(serving={"python": python})
    return sim


def test_pods_of_a_python_fetch_and_serve_with_the_image_that_is_listed_for_it():
    sim = of_python("3.12")
    sim.run(6, seconds=60)
    assert (sim.serving, images(sim)) == ("8", {IMAGES.by_python["3.12"]})
    assert sim.status["serving"]["image"] == IMAGES.by_python["3.12"]


def test_without_an_image_of_its_python_no_pod_is_begun_and_what_serves_goes_on():
    sim = of_python("3.13")
    sim.run(4)
    assert (sim.writes, sim.serving, sim.status["summary"]) == ([], "7", "Held")
    assert sim.condition("AliasInSync") == ("False", "ConfigurationError")
    message = sim.message("AliasInSync")
    assert "spec.serving.python is 3.13, and the operator has images for 3.12" in message
    sim.images = replace(IMAGES, by_python={"3.13": "serving-py3.13:1"})
    sim.run(6)
    assert (sim.serving, images(sim)) == ("8", {"serving-py3.13:1", IMAGES.serving})


def test_what_runs_needs_no_image_in_the_list_any_more():
    sim = of_python("3.12")
    sim.run(6, seconds=60)
    sim.writes.clear()
    sim.images = replace(IMAGES, by_python={})
    sim.run(4)
    assert (sim.writes, sim.condition("AliasInSync")) == ([], ("True", "InSync"))


def _records(sim: Simulation) -> list[Record]:
    """As they are read of what was written."""
    return [*sim.own_records().values()]
