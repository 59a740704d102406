"""What a poll asks of a real MLflow server, counted, and what it makes of strangers' answers."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiohttp import web
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput
from registry_polls import Counted, ask, models, version

from pennant_dev.ports import free_port
from pennant_operator.decide.observed import Absent, ModelVersion
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.poll import Known, Poll
from pennant_operator.observe.registry import Registry
from pennant_operator.observe.trouble import RegistryTroubleError

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
    assert {w.model for w in known.answers} == {w.model for w in (*few, *many)}


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

    answer = ask(mlflow_url, scenario).answers[moved]
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
        await poll.ask(wanted)
        reasons = [getattr(poll.known.answers[w], "reason", None) for w in wanted[-3:]]
        assert reasons == ["AliasNotSet", "VersionNotFound", "ModelNotFound"]
        client.set_registered_model_alias(model, "Production", "1")
        await poll.ask(wanted)
        assert isinstance(poll.known.answers[unset], ModelVersion)
        client.delete_registered_model_alias(model, "Production")
        http.taken()
        await poll.ask(wanted)
        models_asked = 0 if count > 3 else 2
        assert http.taken().count("registered-models/get") == models_asked + 1  # confirmed

    assert isinstance(ask(mlflow_url, scenario).answers[unset], Absent)


def test_a_model_made_again_under_its_name_is_another_version_one(mlflow_url: str):
    client = MlflowClient(mlflow_url)
    watches = models(client, 4)
    name = watches[0].model

    async def scenario(http: Counted, poll: Poll) -> None:
        await poll.ask(watches)
        first = poll.known.answers[watches[0]]
        client.delete_registered_model(name)
        client.create_registered_model(name)
        version(client, name)
        client.set_registered_model_alias(name, "production", "1")
        await poll.ask(watches)
        assert poll.known.answers[watches[0]] != first

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
    assert isinstance(known.answers[good], ModelVersion)
    assert f"version 1 of {name} cannot be resolved" in known.unresolved[bad]


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

    answer = ask(mlflow_url, scenario).answers[watch]
    assert isinstance(answer, ModelVersion)
    assert answer.source == f"mlflow-artifacts:/0/models/{logged.model_id}/artifacts"


STRANGERS = {
    "<html>404</html>": (404, "not as MLflow does"),
    "Invalid Host header - possible DNS rebinding attack detected": (403, "--allowed-hosts"),
    "You are not authenticated.": (401, "MLFLOW_TRACKING_USERNAME"),
    "<html>502 Bad Gateway</html>": (502, "not as MLflow does"),
    '{"registered_models": [': (200, "not as MLflow does"),
    '{"error_code": "INTERNAL_ERROR", "message": "boom"}': (500, "boom"),
    '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}': (400, "refuses what"),
    "moved": (302, "final address"),
    "{}": (200, "not what the operator knows"),
    '{"model_version": []}': (200, "not what the operator knows"),
    '{"model_version": {"name": 1, "version": 1, "creation_timestamp": "x"}}': (200, "not what"),
}


@pytest.mark.parametrize("body", STRANGERS)
def test_no_strangers_answer_says_that_a_model_is_gone(body: str):
    status, said = STRANGERS[body]

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
            with pytest.raises(RegistryTroubleError, match=said):
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
