"""What gates ask of a registry, how often, and who is told: nothing of anybody else's."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from pennant_operator.decide.seen.observed import GateFacts
from pennant_operator.observe.poll.gate_facts import FIRST_REREAD_SECONDS, REREAD_CAP_SECONDS
from pennant_operator.observe.poll.version_facts import Identity
from pennant_registry.gates import BundleFacts, VersionFacts, parse
from pennant_testing.mlflow.gate_scene import (
    CLOSED,
    DROP,
    FLAVORS,
    KEY,
    METRICS,
    OTHER,
    SIGNATURE,
    TAGS,
    Scene,
    asked,
    record,
    run,
    status_gates,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("spec", "questions"),
    [
        (TAGS, ["version 8"]),
        (METRICS, ["version 8", "run-8"]),
        (DROP, ["version 8", "run-8", "version 7", "run-7"]),
        (FLAVORS, ["version 8", "file 1/r/m/MLmodel"]),
        (SIGNATURE, ["version 8", "version 7", "source 7", *["file 1/r/m/MLmodel"] * 2]),
        (CLOSED, []),
    ],
    ids=lambda value: next(iter(value), ""),
)
def test_a_version_is_asked_what_the_gates_ask_and_once(spec: Any, questions: list[str]):
    async def scenario(made: Scene) -> None:
        await made.known(spec)
        assert sorted(made.server.taken()) == sorted(questions)
        await asyncio.sleep(3600)
        assert made.look(spec) is not None
        assert made.server.taken() == []

    run(scenario)


def test_what_one_asked_another_is_told_and_what_both_ask_is_asked_once():
    async def scenario(made: Scene) -> None:
        first = await made.known(TAGS)
        assert made.look(TAGS, OTHER) == first
        assert made.look(METRICS, OTHER) is None
        await asyncio.sleep(2)
        assert made.server.taken() == ["version 8", "version 8", "run-8"]
        assert set(made.enqueued) == {KEY, OTHER}
        both = made.look(METRICS, OTHER)
        assert both == GateFacts(VersionFacts("8", {"auc": 0.9}, {"note": "x"}))
        assert made.look(TAGS) == both

    run(scenario)


def test_the_logged_models_metrics_win():
    async def scenario(made: Scene) -> None:
        made.server.model_id = "m-1"
        facts = await made.known(METRICS)
        assert facts.version.metrics == {"auc": 0.95}
        assert made.server.taken() == ["version 8", "run-8", "m-1"]

    run(scenario)


def test_the_serving_version_is_asked_what_is_compared_only():
    async def scenario(made: Scene) -> None:
        facts = await made.known({**DROP, **FLAVORS, **TAGS})
        assert facts.serving is not None
        assert (facts.serving.metrics, facts.serving.bundle) == ({"auc": 0.91}, "nobody asked")
        assert facts.version.bundle == BundleFacts(("sklearn",))

    run(scenario)


def test_with_nothing_that_serves_there_is_nothing_to_compare():
    async def scenario(made: Scene) -> None:
        assert (await made.known(DROP, serving=None)).serving is None

    run(scenario)


def test_nothing_is_wanted_by_who_has_no_gates_or_runs_the_version():
    assert asked({}) is None
    assert asked(TAGS, serving="8", records={"r8": record("8")}) is None
    assert asked({"metrics": [{}]}) is None  # the spec is invalid
    assert asked({}, floor=parse(TAGS)) is not None


def test_the_same_number_of_another_model_is_another_version():
    other = {"r8": record("8", model="cars")}
    found = asked(DROP, serving="8", records=other)
    assert found is not None
    assert found.serving == Identity("cars", "8", 80)
    assert asked(DROP, serving="8", records={"r8": record("8", created=70)}) is not None


def test_what_came_from_another_registry_is_not_asked_and_said_so():
    found = asked(DROP, records={"r7": record(registry="old")})
    assert found is not None
    assert isinstance(found.serving, VersionFacts)
    assert found.serving.metrics == "it came from ModelRegistry old"
    assert list(found.parts_by_version()) == [Identity("news", "8", 80)]


@pytest.mark.parametrize(
    ("gates", "is_held"),
    [
        (None, False),
        (status_gates(), True),
        (status_gates("closed"), False),
        (status_gates("signature"), True),
    ],
    ids=str,
)
def test_held_is_who_has_a_gate_in_its_status_that_may_change(gates: Any, is_held: bool):
    question = asked(TAGS, gates=gates)
    assert question is not None
    assert question.on_hold == is_held


def test_a_held_version_is_asked_again_ever_less_often():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS, gates=status_gates())
        loop, times = asyncio.get_running_loop(), list[float]()
        made.server.taken()
        until = loop.time() + 3600
        while loop.time() < until:
            await asyncio.sleep(1)
            times += [loop.time()] * len(made.server.taken())
        gaps = [after - before for before, after in pairwise(times)]
        assert gaps[0] == pytest.approx(2 * FIRST_REREAD_SECONDS, abs=3)
        assert gaps[-1] == pytest.approx(REREAD_CAP_SECONDS, abs=3)
        assert len(times) < 12

    run(scenario)


def test_an_approval_is_told_to_those_who_wait_for_it_and_the_serving_version_is_asked_too():
    async def scenario(made: Scene) -> None:
        await made.known(DROP, gates=status_gates())
        made.server.taken(), made.enqueued.clear()
        made.server.metrics["run-7"] = {"auc": 0.5}
        await asyncio.sleep(FIRST_REREAD_SECONDS + 2)
        assert made.enqueued == [KEY]
        facts = made.look(DROP, gates=status_gates())
        assert facts is not None
        assert facts.serving is not None
        assert facts.serving.metrics == {"auc": 0.5}

    run(scenario)


def test_what_is_no_number_is_no_news_each_time():
    async def scenario(made: Scene) -> None:
        made.server.metrics["run-8"] = {"auc": float("nan")}
        await made.known(METRICS, gates=status_gates("metrics.auc.min"))
        made.enqueued.clear()
        for _ in range(10):
            made.server.metrics["run-8"] = {"auc": float("nan")}
            await asyncio.sleep(60)
        assert made.enqueued == []

    run(scenario)


def test_a_tag_hook_is_followed_where_somebody_is_held_and_costs_nothing_elsewhere():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS)
        made.server.taken(), made.enqueued.clear()
        assert not made.poller.tags_changed("news", "8")
        assert not made.poller.tags_changed("news", "9")
        await asyncio.sleep(2)
        assert made.server.taken() == []
        made.look(TAGS, gates=status_gates())  # a hook came before its status said so
        await asyncio.sleep(2)
        assert made.server.taken() == ["version 8"]
        made.server.tags["8"] = {"approved": "true"}
        assert made.poller.tags_changed("news", "8")
        await asyncio.sleep(2)
        assert (made.server.taken(), made.enqueued) == (["version 8"], [KEY])

    run(scenario)


def test_a_thousand_tag_hooks_cost_a_question_a_moment():
    async def scenario(made: Scene) -> None:
        await made.known(TAGS, gates=status_gates())
        made.server.taken()
        for _ in range(1000):
            made.poller.tags_changed("news", "8")
            await asyncio.sleep(0.004)
        assert 1 <= len(made.server.taken()) <= 90

    run(scenario)


@pytest.mark.parametrize("deleted", [False, True])
def test_what_nobody_asks_any_more_is_forgotten(*, deleted: bool):
    async def scenario(made: Scene) -> None:
        kept = made.poller.known.gate_facts
        await made.known(TAGS, gates=status_gates())
        await made.known(TAGS, OTHER)
        for key in (KEY, OTHER):
            if deleted:
                made.store.drop("ModelDeployment", *key, key[1], 5)
            else:
                made.poller.gate_facts(key, None)
        await asyncio.sleep(40)
        assert (kept._versions, kept._questions, kept._backoff._failures) == ({}, {}, {})

    run(scenario)


def test_the_tags_of_a_refused_image_are_read_again_less_and_less_often_and_at_once_on_a_hint():
    async def scenario(made: Scene) -> None:
        made.server.tags["8"] = {"pennant.image": "news:1"}
        await made.known({}, tag_refused=True)
        assert made.server.taken() == ["version 8"]
        await asyncio.sleep(FIRST_REREAD_SECONDS + 2)
        assert made.server.taken() == ["version 8"]
        made.enqueued.clear()
        made.server.tags["8"] = {"pennant.image": "news@sha256:0"}
        assert made.poller.tags_changed("news", "8")
        await asyncio.sleep(2)
        assert set(made.enqueued) == {KEY}  # nobody else is held for it
        assert made.desired_image() == "news@sha256:0"
        assert asked({}) is None  # once it is allowed

    run(scenario)


def test_what_gates_are_told_of_a_version_tells_of_its_image():
    async def scenario(made: Scene) -> None:
        gates = status_gates()
        await made.known(METRICS, gates=gates)
        assert made.desired_image() is None
        made.server.tags["8"] = {"pennant.image": "news@sha256:0"}
        await asyncio.sleep(FIRST_REREAD_SECONDS + 2)
        assert made.desired_image() == "news@sha256:0"

    run(scenario)
