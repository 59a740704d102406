"""Webhooks that a real MLflow server sends, and those that somebody else does."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from pennant_operator.observe.webhook import signing_secret
from pennant_operator.run.http import receiver
from pennant_testing.mlflow.followed_registries import (
    Hooked,
    follows,
    promote,
    run,
    signed,
    two_versions,
    until,
    without_webhooks,
)
from pennant_testing.mlflow.registry_polls import models, version

pytestmark = pytest.mark.integration


@pytest.fixture
def client(mlflow_url: str) -> Iterator[MlflowClient]:
    yield from without_webhooks(mlflow_url)


def alias_hook(model: str) -> bytes:
    data = {"name": model, "alias": "production", "version": "1"}
    return json.dumps({"entity": "model_version_alias", "action": "created", "data": data}).encode()


def test_a_moved_alias_is_noticed_at_once(mlflow_url: str, client: MlflowClient):
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch = hooked.follow(model)
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await follows(hooked, watch)
            assert hooked.enqueued
            assert not hooked.urgent  # that it is there at all may wait, that it moved may not
            took = []
            for number in "2121":
                hooked.enqueued.clear()
                began = await promote(client, model, number)
                await until(lambda n=number: hooked.enqueued and hooked.version(watch) == n)
                took.append(hooked.enqueued["team", model] - began)
            assert hooked.urgent == {("team", model)}
            assert max(took) < 10, took  # the machine may be busy, and it polls once an hour
            await asyncio.to_thread(client.delete_registered_model_alias, model, "production")
            await until(lambda: not hooked.version(watch))
            assert set(hooked.results) == {"accepted"}

    run(scenario)


def test_a_pinned_version_is_noticed_when_it_is_made(mlflow_url: str, client: MlflowClient):
    (watch,) = models(client, 1)

    async def scenario(hooked: Hooked) -> None:
        pinned = hooked.follow(watch.model, version="2")
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await until(lambda: hooked.status().get("webhook"))
            await until(lambda: ("team", watch.model) in hooked.enqueued)
            await asyncio.to_thread(version, client, watch.model)
            await until(lambda: hooked.version(pinned) == "2")

    run(scenario)


def test_a_lost_hook_is_made_up_for_by_the_poll(mlflow_url: str, client: MlflowClient):
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch = hooked.follow(model)
        hooked.registry(mlflow_url, webhook=hooked.registered(), pollInterval="1s")
        async with hooked.running():
            await follows(hooked, watch)
            hooked.lose = True
            await promote(client, model, "2")
            await until(lambda: hooked.deliveries)
            await until(lambda: hooked.version(watch) == "2")

    run(scenario)


def test_hooks_in_any_order_and_any_number_end_at_the_truth(mlflow_url: str, client: MlflowClient):
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch = hooked.follow(model)
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await follows(hooked, watch)
            hooked.lose = True
            for number in "212":
                await promote(client, model, number)
            await until(lambda: len(hooked.deliveries) == 3)
            hooked.lose, late = False, hooked.deliveries[::-1]
            for headers, body in late:
                assert await hooked.post(headers, body) == 200
            await until(lambda: hooked.version(watch) == "2")
            asked = len(hooked.requests)
            for headers, body in late * 3:
                assert await hooked.post(headers, body) == 200
            assert (hooked.results.count("accepted"), hooked.results.count("duplicate")) == (3, 9)
            await asyncio.sleep(0.5)  # nothing is to happen
            assert len(hooked.requests) <= asked + 2  # the last of the first three

    run(scenario)


def test_what_mlflow_did_not_sign_just_now_makes_nobody_look(mlflow_url: str, client: MlflowClient):
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch = hooked.follow(model)
        hooked.registry(mlflow_url)
        async with hooked.running():
            await until(lambda: hooked.version(watch) == "1" and hooked.condition("Webhook"))
            asked, body = len(hooked.requests), alias_hook(model)
            good, _ = signed(body)
            assert await hooked.post(good, body + b" ") == 401
            assert await hooked.post(*signed(body, secret="another secret of the tests")) == 401
            assert await hooked.post(*signed(body, sent=time.time() - 400)) == 401
            assert await hooked.post(*signed(body, sent=time.time() + 400)) == 401
            assert await hooked.post({}, body) == 400
            assert await hooked.post(good, b"x" * 70_000) == 413
            assert await hooked.post(good, body, path="/hooks/other") == 404
            assert await hooked.post(*signed(alias_hook("unwatched"))) == 200
            assert len(hooked.requests) == asked
            assert await hooked.post(good, body) == 200
            await until(lambda: len(hooked.requests) == asked + 1)

    run(scenario)


def test_a_flood_costs_refusals_and_few_requests(
    mlflow_url: str, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
):
    rate, burst = 10, 20  # a busy machine cannot send a flood for more
    monkeypatch.setattr(receiver, "HOOKS_PER_SECOND_LIMIT", rate)
    monkeypatch.setattr(receiver, "HOOKS_BURST_LIMIT", burst)
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch = hooked.follow(model)
        hooked.registry(mlflow_url)
        async with hooked.running():
            await until(lambda: hooked.version(watch) == "1" and hooked.condition("Webhook"))
            asked, began, body = len(hooked.requests), time.monotonic(), alias_hook(model)
            statuses = [await hooked.post(*signed(body)) for _ in range(300)]
            seconds = time.monotonic() - began
            passed = statuses.count(200)
            assert burst <= passed <= burst + 1 + rate * seconds
            assert statuses.count(429) == 300 - passed
            assert passed < 300
            assert len(hooked.requests) - asked <= 2 + 20 * seconds

    run(scenario)


def test_a_changed_secret_is_read_again(
    mlflow_url: str, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(signing_secret, "SECRET_REREAD_SECONDS", 0.0)
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        hooked.follow(model)
        hooked.registry(mlflow_url)
        async with hooked.running():
            await until(lambda: hooked.condition("Webhook").get("status") == "True")
            changed = "the secret was changed"
            hooked.objects.secrets["hooks"] = {"webhook-secret": changed + "\n"}
            assert await hooked.post(*signed(alias_hook(model), secret=changed)) == 200
            assert await hooked.post(*signed(alias_hook(model))) == 200  # on its way meanwhile
            monkeypatch.setattr(signing_secret, "REPLACED_SECRET_SECONDS", 0.0)
            third = "a third secret of the tests"
            hooked.objects.secrets["hooks"] = {"webhook-secret": third}
            assert await hooked.post(*signed(alias_hook(model), secret=third)) == 200
            assert await hooked.post(*signed(alias_hook(model))) == 401
            assert await hooked.post(*signed(alias_hook(model), secret=changed)) == 401
            hooked.objects.secrets["hooks"] = {"webhook-secret": "short"}
            assert await hooked.post(*signed(alias_hook(model), secret="short")) == 503

    run(scenario)


def test_a_missing_secret_is_told(mlflow_url: str, client: MlflowClient):
    async def scenario(hooked: Hooked) -> None:
        hooked.registry(mlflow_url, webhook={"secret": {"name": "none"}})
        async with hooked.running():
            await until(lambda: hooked.condition("Webhook").get("status") == "False")
            assert "There is no Secret none" in hooked.condition("Webhook")["message"]
            await until(lambda: hooked.condition("Ready").get("status") == "True")

    run(scenario)


def test_mlflow_has_one_webhook_of_ours_however_often_it_is_told(
    mlflow_url: str, client: MlflowClient
):
    theirs = client.create_webhook("theirs", "http://127.0.0.1:9/x", ["registered_model.created"])

    def ours() -> list[tuple[str, str]]:
        hooks = client.list_webhooks()
        return [(h.webhook_id, h.url) for h in hooks if h.webhook_id != theirs.webhook_id]

    async def scenario(hooked: Hooked) -> None:
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await until(lambda: hooked.status().get("webhook"))
        ((first, url),) = ours()
        assert hooked.status()["webhook"] == {"id": first, "url": url}

        # Its status was lost, and somebody made another one.
        (hook,) = [h for h in client.list_webhooks() if h.webhook_id == first]
        client.create_webhook(hook.name, hook.url, hook.events)
        again = Hooked()
        again.registry(mlflow_url, webhook=hooked.registered())
        async with again.running():
            await until(lambda: again.status().get("webhook"))
            assert len(ours()) == 1
            # Asked off, it goes.
            live = again.objects.registries["default"]
            live["spec"]["webhook"] = {"secret": {"name": "hooks"}}
            live["metadata"]["generation"] = 2
            await until(lambda: not again.status().get("webhook"))
            assert ours() == []

    run(scenario)


def test_another_address_is_told_to_the_webhook_that_is_there(
    mlflow_url: str, client: MlflowClient
):
    async def scenario(hooked: Hooked) -> None:
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await until(lambda: hooked.status().get("webhook"))
            before = hooked.status()["webhook"]["id"]
            live = hooked.objects.registries["default"]
            live["spec"]["webhook"] = {**hooked.registered(), "url": "http://127.0.0.1:9/elsewhere"}
            live["metadata"]["generation"] = 2
            await until(lambda: "elsewhere" in hooked.status().get("webhook", {}).get("url", ""))
            (hook,) = client.list_webhooks()
            assert (hook.webhook_id, hook.url) == (
                before,
                "http://127.0.0.1:9/elsewhere/hooks/default",
            )

    run(scenario)


def test_mlflow_2_has_no_webhooks_and_is_followed_all_the_same(mlflow2_url: str):
    async def scenario(hooked: Hooked) -> None:
        hooked.registry(mlflow2_url, webhook=hooked.registered(), pollInterval="1s")
        async with hooked.running():
            await until(lambda: hooked.condition("Webhook").get("status") == "False")
            assert "takes MLflow 3.3" in hooked.condition("Webhook")["message"]
            await until(lambda: hooked.condition("Ready").get("status") == "True")

    run(scenario)


def test_a_registry_that_does_not_answer_delays_no_other(mlflow_url: str, client: MlflowClient):
    model = two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            hooked.registry(f"http://127.0.0.1:{silent.getsockname()[1]}", "silent")
            hooked.registry(mlflow_url, webhook=hooked.registered())
            unanswered, watch = hooked.follow("m", "silent"), hooked.follow(model)
            async with hooked.running():
                await follows(hooked, watch)
                await promote(client, model, "2")
                await until(lambda: hooked.version(watch) == "2")
                assert not hooked.version(unanswered)
                assert not hooked.condition("Ready", "silent")  # not even given up yet

    run(scenario)
