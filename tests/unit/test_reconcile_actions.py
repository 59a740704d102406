"""What becomes of RolloutActions in a reconcile, whatever becomes of its requests."""

from __future__ import annotations

from typing import Any

import pytest

from pennant_operator.kube import ApiError
from pennant_operator.observe.cluster.store import registry_key
from pennant_testing.memory.object_builders import rollout_action
from pennant_testing.memory.reconciled_world import KEY, ReconciledWorld, run_scenario

pytestmark = pytest.mark.unit

PATH = "/apis/pennant.dev/v1alpha1/namespaces/team/rolloutactions"


def create(world: ReconciledWorld, action: str, **spec: Any) -> str:
    made = rollout_action(action, **spec)
    made["spec"] = {k: v for k, v in made["spec"].items() if v is not None}
    path = f"{PATH}/{made['metadata']['name']}"
    world.api.objects[path] = made
    world.store.put(made)
    return path


def refuses(*parts: str, status: int) -> Any:
    def fault(method: str, path: str) -> ApiError | None:
        at = path if method != "DELETE" else f"DELETE {path}"
        return ApiError(status, "No", "not now") if all(part in at for part in parts) else None

    return fault


def condition(world: ReconciledWorld, kind: str) -> str:
    return next(str(c["reason"]) for c in world.status()["conditions"] if c["type"] == kind)


def test_one_that_cannot_be_told_stalls_no_rollout_and_is_told_later():
    async def scenario(world: ReconciledWorld) -> None:
        path = create(world, "Hold")
        world.api.fault = refuses("rolloutactions", status=403)
        await world.handle(times=2)
        assert condition(world, "Stalled") == "NotStalled"
        assert condition(world, "AliasInSync") == "HeldByAction"
        assert "status" not in world.api.objects[path]
        world.api.fault = lambda method, path: None
        await world.handle()
        assert world.api.objects[path]["status"]["state"] == "Active"

    run_scenario(scenario)


def test_one_that_is_gone_by_now_is_forgotten():
    async def scenario(world: ReconciledWorld) -> None:
        create(world, "Hold")
        world.api.fault = refuses("rolloutactions", status=404)
        await world.handle()
        assert world.store.actions(KEY) == []

    run_scenario(scenario)


def test_one_about_nobody_waits_and_expires_a_day_later():
    async def scenario(world: ReconciledWorld) -> None:
        path, key = create(world, "Hold", deployment="later"), ("team", "later")
        await world.reconciler.handle(key)
        assert world.api.objects[path]["status"]["state"] == "Pending"
        await world.handle(minutes=24 * 60)
        await world.reconciler.handle(key)
        assert world.api.objects[path]["status"]["state"] == "Expired"
        await world.handle(minutes=24 * 60)
        await world.reconciler.handle(key)
        assert ("DELETE", path) in world.api.asked

    run_scenario(scenario)


def test_one_about_nobody_that_cannot_be_told_is_tried_again():
    async def scenario(world: ReconciledWorld) -> None:
        path, key = create(world, "Hold", deployment="later"), ("team", "later")
        world.api.fault = refuses("rolloutactions", status=500)
        await world.reconciler.handle(key)
        world.api.fault = lambda method, path: None
        await world.reconciler.handle(key)
        assert world.api.objects[path]["status"]["state"] == "Pending"

    run_scenario(scenario)


def test_a_resume_in_another_namespace_than_the_registries_is_refused():
    async def scenario(world: ReconciledWorld) -> None:
        path = create(world, "Resume", deployment=None, registry="default")
        await world.reconciler.handle(registry_key("team", "default"))
        status = world.api.objects[path]["status"]
        assert (status["state"], "namespace pennant-system" in status["message"]) == (
            "Refused",
            True,
        )

    run_scenario(scenario)
