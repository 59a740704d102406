"""What a poll asks of a real MLflow server, counted, and what it makes of strangers' answers."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiohttp import web
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput

from pennant_dev.ports import free_port
from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.api import NO_MODELS_NAME, Registry
from pennant_operator.observe.mlflow.body import ANSWER_LIMIT_BYTES
from pennant_operator.observe.mlflow.filters import named
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.known import ABSENCE_CONFIRMATION_SECONDS, Known
from pennant_operator.observe.poll.poll import Poll
from pennant_testing.mlflow.poll_answers import answers, unresolved
from pennant_testing.mlflow.registry_polls import Counted, ask, models, version

pytestmark = pytest.mark.integration


def test_three_watches_cost_three_requests_a_poll_and_more_cost_one(mlflow_url: str):
    few, many = models(MlflowClient(mlflow_url), 3), models(MlflowClient(mlflow_url), 5)

    async def scenario(http: Counted, poll: Poll) -> None:
        for watches, idle in ((few, 3), (many, 1)):
            await poll.ask(watches)
            http.taken()
            await poll.ask(watches)
            assert len(http.taken()) == idle

    known = ask(mlflow_url, scenario)
    assert {w.model for w in answers(known)} == {w.model for w in (*few, *many)}


def test_a_moved_alias_among_many_costs_only_what_that_version_takes(mlflow_url: str):
    client = MlflowClient(mlflow_url)
    watches = models(client, 5)
    moved = watches[2]

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        client.set_registered_model_alias(
            moved.model, "production", version(client, moved.model, "two.pkl")
        )
        http.taken()
        await poll.ask(watches)
        assert http.taken() == [
            "registered-models/search",
            "model-versions/get",
            "model-versions/get-download-uri",
            "runs/get",
        ]

    answer = ask(mlflow_url, scenario).state(moved)
    assert isinstance(answer, ModelVersion)
    assert (answer.version, answer.sha256) == ("2", "ab" * 32)
    assert answer.source.startswith("mlflow-artifacts:/0/")
    assert answer.source.endswith("/artifacts/two.pkl")


@pytest.mark.parametrize("count", [1, 5])
def test_what_is_not_there_is_told_apart_and_found_when_it_comes(mlflow_url: str, count: int):
    client = MlflowClient(mlflow_url)
    watches = models(client, count)
    model = watches[0].model
    unset = Watch("default", model, alias="Production")
    unpinned = Watch("default", model, version="7")
    nowhere = Watch("default", "never-registered", alias="production")
    wanted = [*watches, unset, unpinned, nowhere]

    async def scenario(http: Counted, poll: Poll) -> None:
        missing = ["AliasNotSet", "VersionNotFound", "ModelNotFound"]
        await poll.ask(wanted)
        assert [unresolved(poll.known)[w].reason for w in wanted[-3:]] == missing
        poll.clock.passed += ABSENCE_CONFIRMATION_SECONDS
        await poll.ask(wanted)
        assert [answers(poll.known)[w].reason for w in wanted[-3:]] == missing
        client.set_registered_model_alias(model, "Production", "1")
        await poll.ask(wanted)
        assert isinstance(poll.known.state(unset), ModelVersion)
        client.delete_registered_model_alias(model, "Production")
        http.taken()
        await poll.ask(wanted)
        singly = count <= 3
        assert http.taken().count("registered-models/get") == (2 if singly else 1)  # seen
        assert isinstance(poll.known.state(unset), ModelVersion)
        await poll.ask(wanted)
        assert http.taken().count("registered-models/get") == (2 if singly else 0)
        poll.clock.passed += ABSENCE_CONFIRMATION_SECONDS
        await poll.ask(wanted)
        assert http.taken().count("registered-models/get") == (2 if singly else 1)  # confirmed

    assert isinstance(ask(mlflow_url, scenario).state(unset), Absent)


def test_a_model_made_again_under_its_name_is_another_version_one(mlflow_url: str):
    client = MlflowClient(mlflow_url)
    watches = models(client, 4)
    name = watches[0].model

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        first = poll.known.state(watches[0])
        client.delete_registered_model(name)
        client.create_registered_model(name)
        version(client, name)
        client.set_registered_model_alias(name, "production", "1")
        await poll.ask(watches)
        assert poll.known.state(watches[0]) != first

    ask(mlflow_url, scenario)


def test_a_version_without_its_run_is_trouble_of_that_version_only(mlflow_url: str):
    client = MlflowClient(mlflow_url)
    (good,), name = models(client, 1), f"m{uuid4().hex[:8]}"
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{'0' * 32}/x", "0" * 32)
    client.set_registered_model_alias(name, "production", "1")
    bad = Watch("default", name, alias="production")

    async def scenario(_: Counted, poll: Poll) -> None:
        await poll.ask([good, bad])

    known = ask(mlflow_url, scenario)
    assert isinstance(known.state(good), ModelVersion)
    absent = unresolved(known)[bad]
    assert (absent.reason, absent.version) == ("VersionNotResolved", "1")
    assert (
        "alias production points at version 1, and ModelRegistry default does not" in absent.message
    )
    assert "(404 RESOURCE_DOES_NOT_EXIST: Run with id=000" in absent.message


# What a ModelDeployment may ask for, or did before a rule forbade it.
TYPOS = {
    "..": Watch("default", "..", alias="production"),
    "blank": Watch("default", " ", alias="production"),
    "slash": Watch("default", "a/b", alias="production"),
    "line break": Watch("default", "a\nb", alias="production"),
    "quote": Watch("default", "a'b", alias="production"),
    "NUL": Watch("default", "a\0b", alias="production"),
    "version": Watch("default", "..", version="9" * 19),
}


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("typo", TYPOS.values(), ids=TYPOS)
def test_what_one_person_asks_for_wrongly_changes_nothing_for_others(
    mlflow_url: str, typo: Watch, count: int
):
    watches = models(MlflowClient(mlflow_url), count)
    pinned = Watch("default", watches[0].model, version="9" * 19)

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask([*watches, typo, pinned])
        http.taken()
        await poll.ask([*watches, typo, pinned])
        assert len(http.taken()) <= len(watches) + 3

    known = ask(mlflow_url, scenario)
    assert set(answers(known)) == set(watches)
    assert set(unresolved(known)) == {typo, pinned}
    assert unresolved(known)[pinned].reason == "ModelNotAnswered"


def test_a_logged_model_is_found_beside_its_run(mlflow_url: str):
    client, name = MlflowClient(mlflow_url), f"m{uuid4().hex[:8]}"
    run = client.create_run("0").info.run_id
    logged = client.create_logged_model("0", name="model", source_run_id=run)
    client.log_outputs(run, [LoggedModelOutput(logged.model_id, step=0)])
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{run}/model", run)
    client.set_registered_model_alias(name, "production", "1")
    watch = Watch("default", name, alias="production")

    async def scenario(_: Counted, poll: Poll) -> None:
        await poll.ask([watch])

    answer = ask(mlflow_url, scenario).state(watch)
    assert isinstance(answer, ModelVersion)
    assert answer.source == f"mlflow-artifacts:/0/models/{logged.model_id}/artifacts"


def test_a_logged_model_is_found_among_many_without_asking_for_each(mlflow_url: str):
    client, name = MlflowClient(mlflow_url), f"m{uuid4().hex[:8]}"
    run = client.create_run("0").info.run_id
    logged = [
        client.create_logged_model("0", name=f"model{n}", source_run_id=run) for n in range(30)
    ]
    client.log_outputs(run, [LoggedModelOutput(each.model_id, step=0) for each in logged])
    client.delete_logged_model(logged[0].model_id)
    client.create_registered_model(name)
    for path in ("model29", "model0", "plain.pkl"):
        client.create_model_version(name, f"runs:/{run}/{path}", run)
    watches = [Watch("default", name, version=number) for number in "123"]

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        # The version, its address, its run and its logged model, of each.
        assert len([path for path in http.taken() if path != "registered-models/get"]) == 12

    known = ask(mlflow_url, scenario)
    sources = [known.state(watch).source for watch in watches]
    assert sources[0] == f"mlflow-artifacts:/0/models/{logged[29].model_id}/artifacts"
    assert [source.rpartition("/")[2] for source in sources[1:]] == ["model0", "plain.pkl"]


STRANGERS = {
    "<html>404</html>": (404, "not as MLflow does"),
    "Invalid Host header - possible DNS rebinding attack detected": (403, "--allowed-hosts"),
    "You are not authenticated.": (401, "MLFLOW_TRACKING_USERNAME"),
    "<html>502 Bad Gateway</html>": (502, "not as MLflow does"),
    '{"registered_models": [': (200, "not as MLflow does"),
    '{"error_code": "INTERNAL_ERROR", "message": "boom"}': (500, "boom"),
    '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}': (400, "refuses what"),
    "moved": (302, "final address"),
    "[" * 200_000: (200, "not as MLflow does"),
    "x" * (ANSWER_LIMIT_BYTES + 1): (200, "is longer than 16 MiB"),
    '{"registered_models": [], "next_page_token": true}': (200, "next_page_token is True"),
    '{"registered_models": {"name": "cars"}}': (200, "registered_models is {"),
}


@pytest.mark.parametrize("body", STRANGERS, ids=lambda body: body[:30])
def test_no_strangers_answer_says_that_a_model_is_gone(body: str):
    status, message = STRANGERS[body]

    async def scenario() -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, text=body)

        app = web.Application()
        app.router.add_route("GET", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        http = Counted(f"http://127.0.0.1:{port}")
        try:
            poll = Poll(Registry(http), "", Known())
            with pytest.raises(RegistryTroubleError, match=message):
                await poll.ask([Watch("default", "cars", alias="production")])
            assert poll.known.answers == {}
        finally:
            await http.close()
            await runner.cleanup()

    asyncio.run(scenario())


def test_nobody_listening_is_trouble_too():
    async def scenario(_: Counted, poll: Poll) -> None:
        raise AssertionError("the version is asked first")

    with pytest.raises(RegistryTroubleError, match="cannot be reached"):
        ask(f"http://127.0.0.1:{free_port()}", scenario)


@pytest.mark.parametrize("either_mlflow", ["mlflow_url", "mlflow2_url"], indirect=True)
def test_whether_it_answers_is_asked_about_no_model(either_mlflow: str):
    models(MlflowClient(either_mlflow), 1)

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.registry.ping()
        assert http.taken() == ["registered-models/search"]
        assert await http.get("registered-models/search", named(NO_MODELS_NAME)) == {}

    ask(either_mlflow, scenario)
