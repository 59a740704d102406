"""What the operator writes into a registry's version tags: what is so, once, whatever happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pennant_operator.act.write_back import WriteBack
from pennant_operator.decide.registry.notes import TaggedVersion
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import fails
from pennant_testing.memory.written_back import (
    DECISION,
    TAG,
    registry,
    rejected,
    run,
    spec,
    words,
)
from pennant_testing.memory.written_tags import SimulatedPlaces, TagsInMemory

pytestmark = pytest.mark.unit


def test_each_version_has_the_tag_that_says_what_is_so_of_it():
    tags = registry(7, 8, 9)
    run(SimulatedPlaces({"rec": rejected()}), tags)
    assert words(tags) == {"7": "serving", "8": "rejected:"}


def test_once_it_is_written_nothing_is_asked_of_the_registry_however_often_it_is_looked_at():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()})
    run(places, tags, *[lambda part: part.look(("team", "rec"))] * 5)
    assert tags.requests == ["versions of news", "set news/8", "set news/7"]


def test_an_operator_that_begins_anew_reads_once_and_writes_nothing():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()})
    run(places, tags)
    tags.requests.clear()
    run(places, tags)
    assert tags.requests == ["versions of news"]


def test_what_a_version_was_is_taken_away_when_another_serves():
    sim = serving(7)
    tags, places = registry(7, 8), SimulatedPlaces({"rec": sim})

    def moved(part: WriteBack) -> None:
        sim.desired = version(8)
        sim.run(8)
        part.look(("team", "rec"))

    run(places, tags, moved)
    assert words(tags) == {"8": "serving"}


def test_the_head_of_the_decisions_goes_with_what_changes_and_never_by_itself():
    sim = serving(7)
    tags, places = registry(7, 8), SimulatedPlaces({"rec": sim}, head="a/1/f")
    run(places, tags)
    places.head = "a/2/f"
    run(places, tags, *[lambda part: part.look(("team", "rec"))] * 3)
    assert tags.tags()["news/7"][DECISION] == "a/1/f"
    assert [each for each in tags.requests if each.startswith("set")] == ["set news/7"] * 2
    sim.desired = version(8)
    sim.run(8)
    run(places, tags)
    assert [*tags.tags()] == ["news/8"]
    assert tags.tags()["news/8"][DECISION] == "a/2/f"


def test_where_no_decision_is_printed_the_head_that_was_told_last_stands():
    sim = Simulation(version(7))
    sim.run(6)
    tags, places = registry(7), SimulatedPlaces({"rec": sim}, head="a/1/f")
    run(places, tags)
    places.head, sim.now = None, sim.now + timedelta(minutes=5)
    run(places, tags)
    assert tags.tags()["news/7"][TAG].endswith(", good")
    assert tags.tags()["news/7"][DECISION] == "a/1/f"


def test_when_the_modeldeployment_is_gone_so_are_its_tags():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()}, head="a/1/f")

    def gone(part: WriteBack) -> None:
        del places.sims["rec"]
        part.look(("team", "rec"))

    run(places, tags, gone)
    assert tags.tags() == {}


def test_a_cluster_that_is_made_anew_leaves_what_served_well_until_something_serves_again():
    tags, sim = registry(7, 8, 9), Simulation(version(8))
    good = "serving since 2026-01-02T03:04:05Z, sha256 ab, good"
    tags.models["news"]["7"].tags.update({TAG: good, DECISION: "a/1/f"})
    tags.models["news"]["9"].tags[TAG] = "held: Suspended: it is"
    sim.behaviour["8"], places = fails("LoadFailed"), SimulatedPlaces({"rec": sim})
    run(places, tags)
    sim.run(8)
    assert sim.serving is None
    run(places, tags)
    assert words(tags) == {"7": "serving", "8": "rejected:"}
    assert tags.tags()["news/7"] == {TAG: good, DECISION: "a/1/f"}
    sim.desired = version(9)
    sim.run(8)
    run(places, tags)
    assert words(tags) == {"8": "rejected:", "9": "serving"}


def test_what_is_left_of_one_that_went_unseen_is_taken_away_where_its_namespace_is_seen():
    tags, places = registry(7), SimulatedPlaces({"rec": serving(7)})
    others = {
        "pennant.eu-1.team.gone": "serving since 2026-11-21T12:00:00Z",
        "pennant.eu-1.team.torn.decision": "a/1/f",
        "pennant.eu-1.hidden.rec": "serving since 2026-11-21T12:00:00Z",
        "pennant.eu-2.team.rec": "serving since 2026-11-21T12:00:00Z",
    }
    tags.models["news"]["7"].tags.update(others)
    run(places, tags)
    left = {"pennant.eu-1.team.gone", "pennant.eu-1.team.torn.decision"}
    assert tags.tags()["news/7"].keys() == {TAG, *others} - left


def test_what_is_called_otherwise_leaves_nothing_of_its_former_name():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()}, head="a/1/f")
    run(places, tags)
    part = run(places, tags, of=spec("eu-2"), recorded=("eu-1",))
    keys = {key for of in tags.tags().values() for key in of}
    assert keys == {"pennant.eu-2.team.rec", "pennant.eu-2.team.rec.decision"}
    assert part.health is not None
    assert part.health.clusters == ("eu-2",)


def test_what_nobody_asks_for_any_more_is_taken_away_and_then_nothing_is_shown():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()})
    run(places, tags)
    part = run(places, tags, of=spec(None), recorded=("eu-1",))
    assert (tags.tags(), part.health) == ({}, None)


def test_a_model_that_was_made_again_does_not_get_the_tags_of_the_one_before():
    tags = TagsInMemory({"news": {"7": TaggedVersion(9999, {})}})
    places = SimulatedPlaces({"rec": serving(7)})
    run(places, tags, *[lambda part: part.look(("team", "rec"))] * 3)
    assert tags.tags() == {}
    assert tags.requests == ["versions of news", "version 7 of news"]


def test_a_version_that_is_registered_later_is_read_by_itself():
    tags, places = registry(7), SimulatedPlaces({"rec": serving(7)})

    def moved(part: WriteBack) -> None:
        tags.models["news"]["8"] = TaggedVersion(1008, {})
        places.sims["rec"].desired = version(8)
        places.sims["rec"].run(8)
        part.look(("team", "rec"))

    run(places, tags, moved)
    assert words(tags) == {"8": "serving"}
    assert "version 8 of news" in tags.requests


def test_what_a_version_was_copied_with_is_taken_away_when_it_is_seen_first():
    tags, places = registry(7), SimulatedPlaces({"rec": serving(7)})
    copied = "pennant.eu-1.team.stage"

    def moved(part: WriteBack) -> None:
        tags.models["news"]["8"] = TaggedVersion(1008, {copied: "serving since 2026-11-21T11:00Z"})
        places.sims["rec"].desired = version(8)
        places.sims["rec"].run(8)
        part.look(("team", "rec"))

    run(places, tags, moved)
    assert {name: [*of] for name, of in tags.tags().items()} == {"news/8": [TAG]}


def test_a_version_that_was_deleted_has_no_tags_and_is_no_trouble():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()})

    def deleted(part: WriteBack) -> None:
        del tags.models["news"]["7"]
        places.sims["rec"].desired = version(8)
        del places.sims["rec"].behaviour["8"]
        places.sims["rec"].run(8)
        part.look(("team", "rec"))

    part = run(places, tags, deleted)
    assert part.health is not None
    assert part.health.trouble is None
