"""Version tags where the registry refuses, is down or does not answer, or nobody leads."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import replace

import pytest

from pennant_operator.act.write_back import WriteBack
from pennant_operator.decide.registry.notes import TaggedVersion, UnwrittenError
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import fails
from pennant_testing.memory.written_back import (
    DECISION,
    TAG,
    looking,
    registry,
    rejected,
    run,
    spec,
    words,
)
from pennant_testing.memory.written_tags import KilledError, SimulatedPlaces

pytestmark = pytest.mark.unit


def test_a_model_that_refuses_is_told_and_tried_again_and_others_go_on():
    other = Simulation(replace(version(7), name="other"))
    other.run(6)
    tags, places = registry(7), SimulatedPlaces({"bad": serving(7), "rec": other})
    tags.models["other"] = {"7": TaggedVersion(1007, {})}
    tags.trouble["news"] = UnwrittenError("give it EDIT.", alone=True)
    seen: list[tuple[str | None, int]] = []
    run(places, tags, looking(seen), lambda _: tags.trouble.clear(), looking(seen))
    assert seen == [("give it EDIT.", 1), (None, 0)]
    assert {name: [*of] for name, of in tags.tags().items()} == {
        "other/7": [TAG],
        "news/7": ["pennant.eu-1.team.bad"],
    }


def test_a_registry_that_is_down_is_asked_ever_more_seldom_and_then_told_all():
    tags, places = registry(7, 8), SimulatedPlaces({"rec": rejected()})
    tags.trouble[""] = UnwrittenError("no answer.")
    seen: list[tuple[str | None, int]] = []
    look = looking(seen)
    run(places, tags, look, look, lambda _: tags.trouble.clear(), *[look] * 5)
    assert len(tags.requests) < 15
    assert seen[0] == ("no answer.", 1)
    assert seen[-1] == (None, 0)
    assert words(tags) == {"7": "serving", "8": "rejected:"}


def test_a_tag_that_was_set_without_an_answer_goes_when_its_version_serves_no_more():
    sim = serving(7)
    tags, places = registry(7, 8), SimulatedPlaces({"rec": sim})

    def moved(part: WriteBack) -> None:
        tags.unanswered = 0
        sim.desired = version(8)
        sim.run(8)

    tags.unanswered = 100
    run(places, tags, moved)
    assert words(tags) == {"8": "serving"}


def test_a_tag_that_was_taken_away_without_an_answer_comes_back_when_it_is_so_again():
    sim = serving(7)
    tags, places = registry(7), SimulatedPlaces({"rec": sim})

    def gone(part: WriteBack) -> None:
        tags.unanswered = 1
        del places.sims["rec"]
        part.look(("team", "rec"))
        asyncio.get_running_loop().call_later(0.5, places.sims.update, {"rec": sim})

    run(places, tags, gone)
    assert tags.requests[-2:] == ["delete news/7", "set news/7"]
    assert words(tags) == {"7": "serving"}


def test_a_namespace_that_may_not_follow_a_model_writes_nothing_at_it():
    tags, places = registry(7), SimulatedPlaces({"rec": serving(7)})
    run(places, tags, of=spec(allowedModels=["other"]))
    assert tags.tags() == {}


def test_who_does_not_lead_writes_nothing():
    tags, places = registry(7), SimulatedPlaces({"rec": serving(7)}, leads=False)
    seen: list[tuple[str | None, int]] = []
    run(places, tags, looking(seen))
    assert tags.tags() == {}
    assert seen == [("Another replica may lead by now.", 1)]


@pytest.mark.parametrize("seed", range(20))
def test_killed_between_any_two_writes_it_ends_the_same(seed: int):
    chance = random.Random(seed)
    sim = serving(7)
    tags, places = registry(7, 8, 9), SimulatedPlaces({"rec": sim})
    tags.models["news"]["9"].tags[TAG] = "serving since 2026-11-21T11:00:00Z"
    for line in range(6):
        places.head = f"a/{line}/f"
        number = chance.choice([7, 8, 9])
        sim.behaviour = {"8": fails("LoadFailed")} if chance.random() < 0.5 else {}
        sim.desired = version(number)
        sim.run(chance.randrange(1, 12))
        tags.writes_left = chance.choice([None, 1, 2, 3])
        with contextlib.suppress(KilledError):
            run(places, tags)
    tags.writes_left = None
    run(places, tags)
    wanted = places.notes("default", ("team", "rec"), sim.now)
    assert wanted is not None
    found = tags.tags()
    assert found == {
        f"{of.model}/{of.version}": {TAG: text, DECISION: found[f"news/{of.version}"][DECISION]}
        for of, text in wanted.texts.items()
    }
