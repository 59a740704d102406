"""What a registry is to be told of its versions follows from a ModelDeployment's status alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.registry.notes import NotedVersion, Notes, notes_of
from pennant_operator.decide.seen.observed import Unknown
from pennant_registry import places
from pennant_registry.gates import VersionFacts
from pennant_registry.places import Place, Word, note_of, notes_by_place, parse_place, place_of_tag
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, hangs, stays_pending

pytestmark = pytest.mark.unit

SERVING_7 = NotedVersion("news", "7", 1007)


def notes(sim: Simulation, registry: str = "default") -> Notes | None:
    return notes_of(sim.owner, sim.own_records(), registry, sim.now)


def texts(sim: Simulation) -> dict[str, str]:
    """By version."""
    seen = notes(sim)
    assert seen is not None
    return {of.version: text for of, text in seen.texts.items()}


def since(sim: Simulation) -> str:
    return str(sim.status["serving"]["since"])


def test_what_serves_is_told_with_its_time_and_digest_and_is_good_once_its_bake_is_over():
    sim = Simulation(version(7))
    sim.run(6)
    seen, text = notes(sim), f"serving since {since(sim)}, sha256 sha-of-7"
    assert seen == Notes({SERVING_7: text}, places.note_of(text).since + timedelta(minutes=2))  # type: ignore[union-attr, operator]
    sim.now += timedelta(minutes=2)
    assert notes(sim) == Notes({SERVING_7: f"{text}, good"}, None)


def test_a_rejected_version_and_the_one_that_serves_each_have_their_own():
    sim = alias_moved(8, fails("LoadFailed"))
    sim.run(8)
    rejected = sim.status["rejected"][0]
    assert texts(sim) == {
        "7": f"serving since {since(sim)}, sha256 sha-of-7, good",
        "8": f"rejected: LoadFailed: {' '.join(rejected['message'].split())}"
        f" (at {rejected['time']})",
    }


def test_what_a_gate_holds_is_told_once_the_registry_was_asked():
    sim = alias_moved(8)
    sim.specify(gates={"tags": [{"key": "approved", "value": "true"}]})
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "GateNotPassed")
    assert [*texts(sim)] == ["7"]
    sim.facts["8"] = VersionFacts("8")
    sim.run(2)
    assert texts(sim)["8"].startswith("held: GateNotPassed: alias production points at version 8")


def test_a_candidate_that_waits_for_the_world_is_told_by_what_it_waits_for():
    sim = alias_moved(8, stays_pending, rollout={"deadlines": {"schedule": "1m"}})
    sim.run(30, seconds=60)
    assert "retryTime" in sim.status["candidate"]
    assert texts(sim)["8"].startswith(f"held: {sim.status['candidate']['reason']}: ")


def test_what_comes_up_is_not_told():
    sim = alias_moved(8, hangs)
    sim.run(3)
    assert sim.status["candidate"]["version"] == "8"
    assert [*texts(sim)] == ["7"]


def test_a_suspended_version_is_held():
    sim = alias_moved(8)
    sim.specify(suspend=True)
    sim.run(2)
    assert texts(sim)["8"].startswith("held: Suspended: ")


def test_while_the_registry_is_silent_for_long_what_was_told_stands():
    sim = serving(7)
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", sim.now)
    sim.run(2)
    assert sim.condition("AliasInSync")[0] == "Unknown"
    assert notes(sim) is None


def test_another_registry_is_told_nothing():
    sim = alias_moved(8)
    sim.specify(suspend=True)
    sim.run(2)
    assert notes(sim, "other") == Notes({}, None)


def test_what_serves_is_of_the_model_that_it_was_made_of_whatever_the_spec_says_by_now():
    sim = serving(7)
    sim.specify(model={"name": "other", "alias": "production"})
    sim.desired = replace(version(7), name="other")
    sim.behaviour["7"] = hangs
    seen = notes(sim)
    assert seen is not None
    assert [*seen.texts] == [SERVING_7]


def test_nothing_is_told_by_a_status_that_somebody_made_up():
    sim = serving(7)
    sim.owner["status"] = {
        "serving": {"version": "9", "revision": "made-up", "since": "2026-11-21T12:00:00Z"},
        "rejected": [{"version": "8"}],
        "conditions": [{"type": "AliasInSync"}],
    }
    assert texts(sim) == {}


def test_one_that_nobody_reconciled_yet_says_nothing():
    assert notes(Simulation(version(7))) == Notes({}, None, keeps_good=True)


def test_a_tag_is_read_as_it_was_written():
    place = parse_place("eu-1/newsreco/news-recommender")
    assert place_of_tag(place.tag) == place == Place("eu-1", "newsreco", "news-recommender")
    text = places.serving_note("2026-11-21T12:00:00Z", "ab" * 32, good=True)
    assert text == f"serving since 2026-11-21T12:00:00Z, sha256 {'ab' * 32}, good"
    note = notes_by_place({place.tag: text, "pennant.sha256": "ab", "team": "news"})[place]
    assert (note.word, note.good, note.since) == (Word.SERVING, True, NOW)


def test_the_head_of_decisions_is_about_a_place_and_says_nothing_of_it():
    place = Place("eu-1", "team", "rec")
    assert place_of_tag(place.decision_tag) == place
    assert notes_by_place({place.decision_tag: "serving since 2026-11-21T12:00:00Z"}) == {}


@pytest.mark.parametrize(
    "key",
    [
        "pennant.sha256",
        "pennant.promoted-by.production",
        "pennant.promoted-by.stage.Production",
        "pennant.eu-1.team.rec.more",
        "pennant.eu-1.team.rec.decision.decision",
        "other.eu-1.team.rec",
    ],
)
def test_other_tags_are_about_no_place(key: str):
    assert place_of_tag(key) is None


@pytest.mark.parametrize("value", ["", "Serving", "approved: by me", "servings since"])
def test_what_no_operator_writes_says_nothing(value: str):
    assert note_of(value) is None


@pytest.mark.parametrize(
    "value", ["serving", "serving since yesterday", "serving since 2026-11-21"]
)
def test_a_time_that_is_none_is_not_known(value: str):
    note = note_of(value)
    assert note is not None
    assert note.since is None


def test_the_longest_key_and_sentence_are_such_as_mlflow_takes():
    longest = Place("c" * 63, "n" * 63, "d" * 50)
    assert len(longest.decision_tag) < 250
    assert place_of_tag(longest.tag) == longest
    text = places.rejection_note("LoadFailed", "x" * 9000, "2026-11-21T12:00:00Z")
    assert len(text) == places.TEXT_LIMIT
    assert text.endswith("x… (at 2026-11-21T12:00:00Z)")
