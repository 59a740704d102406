"""What the operator writes into a registry's version tags: what is so, once, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.act.write_back import WriteBack
from pennant_operator.decide.registry.notes import TaggedVersion, UnwrittenError
from pennant_operator.decide.registry.registries import RegistrySpec, parse_registry
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails
from pennant_testing.memory.written_tags import KilledError, SimulatedPlaces, TagsInMemory

pytestmark = pytest.mark.unit

TAG = "pennant.eu-1.team.rec"
DECISION = f"{TAG}.decision"


def spec(cluster: str | None = "eu-1", **fields: object) -> RegistrySpec:
    write_back = {"writeBack": {"cluster": cluster}} if cluster else {}
    named = {"url": "http://mlflow.example", **write_back, **fields}
    return parse_registry({"metadata": {"name": "default"}, "spec": named})


def registry(*numbers: int) -> TagsInMemory:
    """Model news with these versions."""
    return TagsInMemory({"news": {str(n): TaggedVersion(1000 + n, {}) for n in numbers}})


def rejected() -> Simulation:
    """Version 7 serves, and 8 was rejected."""
    sim = alias_moved(8, fails("LoadFailed"))
    sim.run(8)
    return sim


def run(
    places: SimulatedPlaces,
    tags: TagsInMemory,
    *steps: Callable[[WriteBack], object],
    of: RegistrySpec | None = None,
    recorded: tuple[str, ...] = (),
) -> WriteBack:
    """An operator from its start on, with a minute after each step."""
    part = WriteBack(places.dependencies, of or spec(), recorded, tags.open)

    async def scenario() -> None:
        async def report() -> None:
            assert part.health is None or part.unwritten >= 0

        running = asyncio.create_task(part.run(report))
        for step in (lambda _: None, *steps):
            step(part)
            await asyncio.wait([running], timeout=60)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    at_once(scenario())
    return part


def looking(seen: list[tuple[str | None, int]]) -> Callable[[WriteBack], None]:
    """Notes trouble, and of how many the tags are not right; then one may be another."""

    def look(part: WriteBack) -> None:
        assert part.health is not None
        seen.append((part.health.trouble, part.unwritten))
        part.look(("team", "rec"))

    return look


def words(tags: TagsInMemory) -> dict[str, str]:
    """By version, by the first words of our tag."""
    return {name.removeprefix("news/"): of[TAG].split(" ")[0] for name, of in tags.tags().items()}


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
