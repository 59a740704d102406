"""A registry as teams run it: over PostgreSQL, and everybody has an account of their own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow import api as pages
from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.connection import connect
from pennant_operator.observe.mlflow.credentials import credentials
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.known import ABSENCE_CONFIRMATION_SECONDS, Known
from pennant_operator.observe.poll.link import Link
from pennant_operator.observe.poll.poll import Poll
from pennant_registry.names import VERSION_LIMIT
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings
from pennant_testing.command_line import pennant
from pennant_testing.mlflow.basic_auth_server import ADMIN, Guarded, guarded
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.mlflow.poll_answers import answers, unresolved
from pennant_testing.mlflow.postgres_server import postgres
from pennant_testing.mlflow.registry_polls import Clock, Counted, to_stage, version

pytestmark = pytest.mark.integration

# In PostgreSQL with a language's order none of these is where SQLite has it, and some are
# different only in what a language looks at last.
NAMES = ["a_b", "a-b", "ab", "alpha", "Alpha", "ALPHA", "Beta", "beta", "a b", "ä", "a.b", "ab "]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with postgres() as store, guarded(tmp_path_factory.mktemp("guarded"), store) as started:
        yield started


@pytest.fixture
def mlflow(server: Guarded, monkeypatch: pytest.MonkeyPatch) -> Mlflow:
    """The administrator's client."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    return Mlflow(server.url)


def spec(server: Guarded):
    named = {"url": server.url, "credentialsSecret": "mlflow"}
    return parse_registry({"metadata": {"name": "default"}, "spec": named})


def reader(server: Guarded, *models: str) -> dict[str, str]:
    """The Secret of an account that may read these and nothing else."""
    account = server.user(f"u{uuid4().hex[:8]}")
    for model in models:
        server.may_read(account["MLFLOW_TRACKING_USERNAME"], "registered_model", model)
    if models:
        server.may_read(account["MLFLOW_TRACKING_USERNAME"], "experiment", "0")
    return account


def link(server: Guarded, known: Known, secret: dict[str, str]) -> Link:
    async def read(_: str) -> dict[str, str]:
        return dict(secret)

    return Link(spec(server), known, read, lambda _status, _seconds: None)


def follow(name: str) -> Watch:
    return Watch("default", name, alias="production")


def promoted(mlflow: Mlflow, name: str = "") -> str:
    name = name or f"m{uuid4().hex[:8]}"
    mlflow.promote(name, mlflow.register(name))
    return name


def test_who_may_only_read_sees_the_alias_move_and_its_pods_get_the_bytes(
    server: Guarded, mlflow: Mlflow, tmp_path: Path
):
    model = promoted(mlflow)
    secret, known = reader(server, model), Known()

    async def scenario() -> None:
        line = link(server, known, secret)
        try:
            await line.ask([follow(model)])
            assert known.state(follow(model)).version == "1"
            mlflow.promote(model, mlflow.register(model))
            await line.ask([follow(model)])
        finally:
            await line.drop()

    asyncio.run(scenario())
    found = known.state(follow(model))
    assert isinstance(found, ModelVersion)
    assert found.version == "2"
    env = {
        "PENNANT_MODEL_NAME": model,
        "PENNANT_MODEL_VERSION": "2",
        "PENNANT_MODEL_SOURCE": found.source,
        "PENNANT_MODEL_PATH": str(tmp_path / "bundle"),
        "PENNANT_REGISTRY_URL": server.url,
    }
    fetch(FetchSettings.from_env(env | reader(server, model)))
    assert (tmp_path / "bundle" / "newsreco.pkl").read_text() == "a model"
    with pytest.raises(PodError) as refused:
        fetch(
            FetchSettings.from_env(
                env | {"PENNANT_MODEL_PATH": str(tmp_path / "x")} | reader(server)
            )
        )
    assert refused.value.reason is Reason.CREDENTIALS_MISSING


@pytest.mark.parametrize("more", [0, 4], ids=["asked one by one", "searched"])
def test_a_model_that_the_account_may_not_read_hides_no_other(
    server: Guarded, mlflow: Mlflow, more: int
):
    models, secrets = [promoted(mlflow) for _ in range(1 + more)], promoted(mlflow)
    secret, known = reader(server, *models), Known()

    async def scenario() -> None:
        line = link(server, known, secret)
        try:
            await line.ask([follow(name) for name in (*models, secrets)])
            assert {watch.model for watch in answers(known)} == set(models)
            assert unresolved(known)[follow(secrets)].reason == "ModelNotReadable"
            server.may_read(secret["MLFLOW_TRACKING_USERNAME"], "registered_model", secrets)
            await line.ask([follow(name) for name in (*models, secrets)])
        finally:
            await line.drop()

    asyncio.run(scenario())
    assert isinstance(known.state(follow(secrets)), ModelVersion)
    assert unresolved(known) == {}


def test_a_version_whose_run_the_account_may_not_read_is_told_with_who_can_help(
    server: Guarded, mlflow: Mlflow
):
    model = promoted(mlflow)
    account = server.user(f"u{uuid4().hex[:8]}")
    server.may_read(account["MLFLOW_TRACKING_USERNAME"], "registered_model", model)
    known = Known()

    async def scenario() -> None:
        line = link(server, known, account)
        try:
            await line.ask([follow(model)])
        finally:
            await line.drop()

    asyncio.run(scenario())
    absent = unresolved(known)[follow(model)]
    assert (absent.reason, absent.version) == ("VersionNotResolved", "1")
    assert "(403): have its administrator let its account read the experiment" in absent.message


def test_a_version_that_no_database_holds_is_that_watchs_trouble(server: Guarded, mlflow: Mlflow):
    model, known = promoted(mlflow), Known()
    wanted = [
        Watch("default", model, version=str(number)) for number in (VERSION_LIMIT, 10**18, 10**19)
    ]

    async def scenario() -> None:
        http = as_administrator(server)
        try:
            await Poll(Registry(http), "3.17.2", known).ask([follow(model), *wanted])
        finally:
            await http.close()

    asyncio.run(scenario())
    assert known.state(follow(model)).version == "1"
    assert set(unresolved(known)) == set(wanted)


def test_another_account_in_the_secret_is_taken_up_with_the_next_poll(
    server: Guarded, mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pennant_operator.observe.poll.link.SECRET_REREAD_SECONDS", 0.0)
    one, other = promoted(mlflow), promoted(mlflow)
    secret, known = reader(server, one), Known()

    async def scenario() -> None:
        line = link(server, known, secret)
        try:
            await line.ask([follow(one), follow(other)])
            assert set(answers(known)) == {follow(one)}
            secret.update(reader(server, other))
            await line.ask([follow(one), follow(other)])
        finally:
            await line.drop()

    asyncio.run(scenario())
    assert set(answers(known)) == {follow(one), follow(other)}


def test_a_wrong_password_is_told_with_what_to_do(server: Guarded):
    async def scenario() -> None:
        wrong = {"MLFLOW_TRACKING_USERNAME": "nobody", "MLFLOW_TRACKING_PASSWORD": "at-all"}
        http = connect(spec(server), wrong, lambda _status, _seconds: None)
        try:
            await Registry(http).ping()
        finally:
            await http.close()

    with pytest.raises(RegistryTroubleError, match="of an account that may read the models"):
        asyncio.run(scenario())


# What a poll relies on, where the database sorts as people do.


def as_administrator(server: Guarded) -> Counted:
    pair = dict(zip(("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"), ADMIN, strict=True))
    return Counted(server.url, credentials(pair))


@pytest.mark.parametrize("page", [1, 2, 5, 1000])
@pytest.mark.parametrize("whole", [True, False], ids=["whole walk", "by name"])
def test_every_page_of_a_search_holds_what_the_others_do_not(
    server: Guarded, mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch, page: int, whole: bool
):
    for name in NAMES:
        if not mlflow.client.search_registered_models(f'name = "{name}"'):
            mlflow.client.create_registered_model(name)
            mlflow.client.create_model_version(name, "s3://bucket/x")
            mlflow.client.set_registered_model_alias(name, "production", "1")
    monkeypatch.setattr(pages, "SEARCH_PAGE_LIMIT", page)
    came: list[str] = []
    understood = pages.models

    def counted(page):
        came.extend(model["name"] for model in page)
        return understood(page)

    monkeypatch.setattr(pages, "models", counted)

    async def scenario():
        http = as_administrator(server)
        try:
            registry = Registry(http)
            return await (registry.walk(limit=1_000_000) if whole else registry.search(NAMES))
        finally:
            await http.close()

    found = asyncio.run(scenario())
    assert len(came) == len(set(came))
    assert set(NAMES) <= found.keys()
    assert {found[name].aliases["production"] for name in NAMES} == {"1"}
    if whole:
        part = asyncio.run(some(server, most=2))
        assert 2 < len(part) == min(len(found), math.ceil(3 / page) * page)


async def some(server: Guarded, most: int) -> dict[str, RegisteredModel]:
    http = as_administrator(server)
    try:
        return await Registry(http).walk(most)
    finally:
        await http.close()


def test_upper_and_lower_case_are_different_models_and_aliases(server: Guarded, mlflow: Mlflow):
    upper, lower = f"M{uuid4().hex[:8]}", f"m{uuid4().hex[:8]}"
    promoted(mlflow, upper)
    wanted = [follow(upper), follow(upper.lower()), follow(upper.upper()), follow(lower)]
    wanted.append(Watch("default", upper, alias="Production"))

    async def scenario() -> Known:
        http, known = as_administrator(server), Known()
        try:
            clock = Clock()
            for _ in range(2):
                await Poll(Registry(http), "3.17.2", known, clock=clock).ask(wanted)
                clock.passed += ABSENCE_CONFIRMATION_SECONDS
        finally:
            await http.close()
        return known

    known = asyncio.run(scenario())
    there = [watch for watch, found in answers(known).items() if not isinstance(found, Absent)]
    assert [watch.model for watch in there] == [upper]
    assert len(answers(known)) == len(set(wanted))


@pytest.mark.parametrize("page", [1, 1000])
def test_the_highest_version_of_a_stage_is_the_highest_number(
    server: Guarded, mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch, page: int
):
    monkeypatch.setattr(pages, "SEARCH_PAGE_LIMIT", page)
    client, name = MlflowClient(server.url), f"m{uuid4().hex[:8]}"
    client.create_registered_model(name)
    for _ in range(11):  # as text 9 is more than 11
        to_stage(client, name, version(client, name), "Production")

    async def scenario() -> list[str]:
        http = as_administrator(server)
        try:
            return [each.version for each in await Registry(http).in_stage(name, "Production")]
        finally:
            await http.close()

    assert [int(each) for each in asyncio.run(scenario())] == list(range(11, 0, -1))


def test_the_doctor_names_what_an_account_may_not_do_and_who_can_grant_it(
    server: Guarded, mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch
):
    model = promoted(mlflow)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)

    def examined(account: dict[str, str]) -> dict[str, dict[str, str]]:
        for variable, value in account.items():
            monkeypatch.setenv(variable, value)
        return {each["what"]: each for each in pennant("doctor", model, "-o", "json").facts}

    assert examined({})["writing"]["message"] == f"{ADMIN[0]} is an administrator of MLflow"
    nobody = examined(reader(server))
    assert nobody["models"]["result"] == "unknown"
    assert "have its administrator let this account read it" in nobody["model"]["remedy"]
    account = server.user("half")
    server.may_read("half", "registered_model", model)
    half = examined(account)
    assert half["writing"]["message"] == f"half may not move aliases of {model} (READ)"
    assert "read the experiment" in (half.get("download") or half["artifacts"])["remedy"]
    assert half["webhooks"]["result"] == "unknown"
    server.may_read("half", "experiment", "0")
    assert examined(account)["download"]["result"] == "ok"
    wrong = examined({"MLFLOW_TRACKING_PASSWORD": "wrong"})
    assert [*wrong] == ["server"]
    assert "it refuses the account" in wrong["server"]["message"]
