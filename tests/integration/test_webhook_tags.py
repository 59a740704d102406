"""Webhooks of tags: an approval counts at once for who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from pennant_operator.decide.seen.observed import GateFacts, Images, Observed
from pennant_operator.decide.seen.spec import Watch
from pennant_testing.mlflow.followed_registries import (
    Hooked,
    follows,
    run,
    two_versions,
    until,
    without_webhooks,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def client(mlflow_url: str) -> Iterator[MlflowClient]:
    yield from without_webhooks(mlflow_url)


def gate_facts(hooked: Hooked, watch: Watch, *, held: bool) -> GateFacts | None:
    """As a reconcile looks them up, of a ModelDeployment that asks for a tag."""
    key = ("team", watch.model)
    owner = hooked.store.owner(key) or {}
    owner["spec"]["gates"] = {"tags": [{"key": "approved"}]}
    desired, facts = hooked.registries.look_up(watch, key)
    if held:
        entries = [{"gate": "tags.approved", "result": "Failed"}]
        owner["status"] = {"desired": {"version": "1"}, "gates": entries}
    seen = Observed(owner, desired, facts, Images("fetch", "serving"))
    return hooked.registries.gate_facts(watch, key, seen)


def test_an_approval_is_noticed_at_once_by_who_waits_for_it_and_costs_nobody_else(
    mlflow_url: str, client: MlflowClient
):
    model, other = two_versions(client), two_versions(client)

    async def scenario(hooked: Hooked) -> None:
        watch, unheld = hooked.follow(model), hooked.follow(other)
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await follows(hooked, watch)
            await until(lambda: gate_facts(hooked, watch, held=True))
            await until(lambda: gate_facts(hooked, unheld, held=False))
            hooked.enqueued.clear()
            asked = len(hooked.requests)
            await asyncio.to_thread(client.set_model_version_tag, other, "1", "approved", "true")
            await until(lambda: "unwatched" in hooked.results)
            await asyncio.sleep(0.5)  # nothing is to happen
            assert len(hooked.requests) == asked
            await asyncio.to_thread(client.set_model_version_tag, model, "1", "approved", "true")
            await until(lambda: ("team", model) in hooked.enqueued)
            facts = gate_facts(hooked, watch, held=True)
            assert facts is not None
            assert facts.version.tags["approved"] == "true"
            hooked.enqueued.clear()
            await asyncio.to_thread(client.delete_model_version_tag, model, "1", "approved")
            await until(lambda: ("team", model) in hooked.enqueued)
            assert ("team", other) not in hooked.enqueued

    run(scenario)


def test_a_webhook_of_an_earlier_operator_is_told_of_tags_too(
    mlflow_url: str, client: MlflowClient
):
    async def scenario(hooked: Hooked) -> None:
        hooked.registry(mlflow_url, webhook=hooked.registered())
        async with hooked.running():
            await until(lambda: hooked.status().get("webhook"))
        (hook,) = client.list_webhooks()
        client.update_webhook(hook.webhook_id, events=["model_version_alias.created"])
        again = Hooked()
        again.registry(mlflow_url, webhook=hooked.registered())
        async with again.running():
            await until(lambda: len(client.list_webhooks()[0].events) == 5)
        assert [each.webhook_id for each in client.list_webhooks()] == [hook.webhook_id]

    run(scenario)
