"""What a poll makes of stages, and of the aliases of MLflow 2, on real servers."""

from __future__ import annotations

from uuid import uuid4

import pytest
from mlflow import MlflowClient

from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll import strategy
from pennant_operator.observe.poll.known import ABSENCE_CONFIRMATION_SECONDS
from pennant_operator.observe.poll.poll import Poll
from pennant_testing.mlflow.registry_polls import Counted, ask, models, to_stage, version

pytestmark = pytest.mark.integration

either = pytest.mark.parametrize("either_mlflow", ["mlflow_url", "mlflow2_url"], indirect=True)
CALLS_OF_A_MOVE = ["model-versions/search", "model-versions/get-download-uri", "runs/get"]


def in_production(client: MlflowClient, count: int, name: str = "") -> list[Watch]:
    """Registered models, version 1 of each in Production, and the watches that follow them."""
    prefix, watches = name or f"s{uuid4().hex[:8]}", []
    for number in range(count):
        model = f"{prefix}-{number}"
        client.create_registered_model(model)
        to_stage(client, model, version(client, model), "Production")
        watches.append(Watch("default", model, stage="Production"))
    return watches


def followed(poll: Poll, watch: Watch) -> tuple[str, tuple[str, ...]]:
    """The version that a watch has found, and what is beside it."""
    answer = poll.known.state(watch)
    assert isinstance(answer, ModelVersion), answer
    return answer.version, answer.beside


@pytest.fixture(autouse=True)
def worth_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many models other tests have left in the servers."""
    monkeypatch.setattr(strategy, "WALK_WORTH_2", 10**6)


@either
@pytest.mark.parametrize(("count", "idle"), [(1, "registered-models/get"), (5, None)])
def test_a_stage_is_followed_at_the_price_of_an_alias(either_mlflow: str, count: int, idle: str):
    client = MlflowClient(either_mlflow)
    watches = in_production(client, count)
    watch = watches[0]

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        assert followed(poll, watch) == ("1", ())
        http.taken()
        await poll.ask(watches)
        assert http.taken() == [idle or "registered-models/search"]
        to_stage(client, watch.model, version(client, watch.model), "Production", alone=True)
        await poll.ask(watches)
        assert http.taken()[1:] == CALLS_OF_A_MOVE

    answer = ask(either_mlflow, scenario).state(watch)
    assert isinstance(answer, ModelVersion)
    assert (answer.version, answer.sha256, answer.beside) == ("2", "ab" * 32, ())
    assert answer.source.startswith("mlflow-artifacts:/0/")
    assert answer.source.endswith("/artifacts/newsreco.pkl")


@either
def test_the_highest_of_competing_versions_is_followed_and_the_others_are_named(either_mlflow: str):
    client = MlflowClient(either_mlflow)
    (watch,) = in_production(client, 1)

    async def scenario(_: Counted, poll: Poll) -> None:
        for _ in range(2):
            to_stage(client, watch.model, version(client, watch.model), "Production")
            await poll.ask([watch])
        assert followed(poll, watch) == ("3", ("2", "1"))
        to_stage(client, watch.model, "2", "Archived")
        await poll.ask([watch])
        assert followed(poll, watch) == ("3", ("1",))
        to_stage(client, watch.model, "3", "Archived")
        await poll.ask([watch])
        assert followed(poll, watch) == ("1", ())

    ask(either_mlflow, scenario)


@either
@pytest.mark.parametrize("count", [1, 5])
def test_an_emptied_stage_is_believed_after_a_second_read_only(either_mlflow: str, count: int):
    client = MlflowClient(either_mlflow)
    watches = in_production(client, count)
    watch = watches[0]

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        to_stage(client, watch.model, "1", "Archived")
        http.taken()
        await poll.ask(watches)
        assert len(http.taken()) == (1 if count == 1 else 2)
        assert followed(poll, watch) == ("1", ())
        poll.clock.passed += ABSENCE_CONFIRMATION_SECONDS
        await poll.ask(watches)
        assert len(http.taken()) == (1 if count == 1 else 2)
        assert poll.known.state(watch).reason == "StageEmpty"
        await poll.ask(watches)
        assert len(http.taken()) == 1
        to_stage(client, watch.model, "1", "Production")
        await poll.ask(watches)
        assert followed(poll, watch) == ("1", ())

    ask(either_mlflow, scenario)


@either
def test_a_name_that_no_filter_can_hold_is_followed_too(either_mlflow: str):
    client = MlflowClient(either_mlflow)
    (watch,) = in_production(client, 1, name=f"ana's {uuid4().hex[:8]}")

    async def scenario(_: Counted, poll: Poll) -> None:
        await poll.ask([watch])
        assert followed(poll, watch) == ("1", ())

    ask(either_mlflow, scenario)


def test_mlflow_2_calls_a_missing_model_an_alias_that_is_not_set_and_we_do_not(mlflow2_url: str):
    client = MlflowClient(mlflow2_url)
    (watch,) = models(client, 1)
    nowhere = Watch("default", "never-registered", alias="production")

    async def scenario(_: Counted, poll: Poll) -> None:
        await poll.ask([watch, nowhere])
        client.delete_registered_model_alias(watch.model, "production")
        await poll.ask([watch, nowhere])
        poll.clock.passed += ABSENCE_CONFIRMATION_SECONDS
        await poll.ask([watch, nowhere])
        unset, missing = poll.known.state(watch), poll.known.state(nowhere)
        assert isinstance(unset, Absent)
        assert isinstance(missing, Absent)
        assert (unset.reason, missing.reason) == ("AliasNotSet", "ModelNotFound")
        client.delete_registered_model(watch.model)
        await poll.ask([watch])
        poll.clock.passed += ABSENCE_CONFIRMATION_SECONDS
        await poll.ask([watch])
        assert poll.known.state(watch).reason == "ModelNotFound"

    ask(mlflow2_url, scenario)


def test_many_aliases_of_mlflow_2_cost_one_search(mlflow2_url: str):
    client = MlflowClient(mlflow2_url)
    watches = models(client, 5)

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        http.taken()
        await poll.ask(watches)
        assert http.taken() == ["registered-models/search"]
        client.set_registered_model_alias(
            watches[0].model, "production", version(client, watches[0].model)
        )
        await poll.ask(watches)
        assert followed(poll, watches[0]) == ("2", ())

    ask(mlflow2_url, scenario)
