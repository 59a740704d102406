"""What one reconcile leaves behind whatever becomes of it: metrics, the store, the log."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from pennant_operator.kube import ApiError
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.reconciled_world import KEY, Fault, ReconciledWorld, run_scenario

pytestmark = pytest.mark.unit


def refused(method: str, path: str) -> ApiError | None:
    if method == "PATCH" and "/deployments/" in path:
        return ApiError(403, "Forbidden", "exceeded quota")
    return None


def broken(method: str, path: str) -> ApiError | None:
    if method == "PATCH" and "/deployments/" in path:
        return ApiError(500, "InternalError", "an admission webhook does not answer")
    return None


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [(refused, "refused", "WriteRefused"), (broken, "api", "WriteFailed")],
    ids=["refused", "not answered"],
)
def test_a_write_that_is_not_taken_is_in_the_metrics_and_the_alert_fires(
    fault: Fault, kind: str, reason: str
):
    async def scenario(world: ReconciledWorld) -> None:
        world.api.fault = fault
        await world.handle(times=2, minutes=5)
        assert not world.fires("PennantAliasNotServed")
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["desired"] == ("7" if kind == "api" else "")
        assert dict(labels)["serving"] == ""
        await world.handle(times=2, minutes=5)
        assert world.fires("PennantAliasNotServed")
        assert not world.fires("PennantVersionRejected")
        (drift,) = world.sample("pennant_alias_drift_seconds")
        assert dict(drift)["reason"] == reason
        errors = world.sample("pennant_reconcile_errors_total")
        assert {dict(each)["kind"] for each, n in errors.items() if n} == {kind}
        assert sum(errors.values()) == 4
        assert sum(world.sample("pennant_reconcile_duration_seconds_count").values()) == 4
        world.api.fault = lambda method, path: None
        await world.handle(times=1)
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["desired"] == "7"

    run_scenario(scenario)


def test_an_api_server_that_fails_on_writes_again_and_again_is_told_until_it_does_not():
    async def scenario(world: ReconciledWorld) -> None:
        world.api.fault = broken
        await world.handle(times=2)
        assert condition_of(world.status(), "Reconciling") == ("True", "RollingOut")
        await world.handle(times=1)
        status = world.status()
        assert condition_of(status, "Reconciling") == ("True", "WriteFailed")
        assert condition_of(status, "AliasInSync") == ("False", "WriteFailed")
        assert condition_of(status, "Stalled") == ("False", "NotStalled")
        assert status["desired"]["version"] == "7"
        world.api.fault = lambda method, path: None
        await world.handle(times=2)
        assert condition_of(world.status(), "Reconciling") == ("True", "RollingOut")

    run_scenario(scenario)


def condition_of(status: dict[str, Any], kind: str) -> tuple[str, str]:
    condition = next(c for c in status["conditions"] if c["type"] == kind)
    return condition["status"], condition["reason"]


def test_a_fault_of_the_operator_hides_no_modeldeployment_from_the_metrics(
    caplog: pytest.LogCaptureFixture,
):
    class Odd:
        """What no version is."""

    async def scenario(world: ReconciledWorld) -> None:
        await world.handle()
        world.desired = Odd()  # type: ignore[assignment]
        await world.handle()
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["name"] == "rec"
        errors = world.sample("pennant_reconcile_errors_total")
        assert (errors[("kind", "fault"),], sum(errors.values())) == (1, 1)

    run_scenario(scenario)
    assert "a fault in the operator" in caplog.text


@pytest.mark.parametrize("left", [True, False], ids=["children left", "children collected"])
def test_an_owner_whose_deletion_was_missed_is_dropped_and_gets_no_children_again(
    left: bool, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)

    async def scenario(world: ReconciledWorld) -> None:
        await world.handle()
        owner = next(path for path in world.api.objects if "modeldeployments" in path)
        del world.api.objects[owner]
        if not left:
            world.collect_garbage()
        world.desired = version(8)
        await world.handle()
        assert world.store.owner(KEY) is None
        assert left or world.api.objects == {}
        asked = len(world.api.asked)
        await world.handle()
        assert len(world.api.asked) == asked
        assert world.sample("pennant_modeldeployment_info") == {}

    run_scenario(scenario)
    assert "ModelDeployment team/rec went away unseen" in caplog.text


def test_an_owner_that_was_replaced_unseen_is_known_by_its_new_uid():
    async def scenario(world: ReconciledWorld) -> None:
        await world.handle()
        (path,) = (p for p in world.api.objects if "modeldeployments" in p)
        new = model_deployment()
        new["metadata"] |= {"uid": "another", "resourceVersion": "900"}
        world.api.objects[path] = new
        world.api.fault = lambda method, path: (
            ApiError(409, "Conflict", "uid mismatch") if path.endswith("/status") else None
        )
        world.desired = version(8)
        await world.handle()
        owner = world.store.owner(KEY)
        assert owner is not None
        assert owner["metadata"]["uid"] == "another"

    run_scenario(scenario)


def test_a_spec_that_changes_while_its_status_is_written_is_looked_at_again():
    """The answer to the write is newer than what the watch tells of the change."""

    async def scenario(world: ReconciledWorld) -> None:
        (path,) = (p for p in world.api.objects if "modeldeployments" in p)

        def changed_meanwhile(method: str, path_written: str) -> None:
            if path_written.endswith("/rec/status"):
                changed = copy.deepcopy(world.api.objects[path])
                changed["metadata"] |= {"generation": 2, "resourceVersion": "999"}
                changed["spec"]["replicas"] = 3
                world.api.objects[path] = changed

        world.api.fault = changed_meanwhile
        await world.handle()
        world.api.fault = lambda method, path: None
        assert world.store.put(world.api.objects[path]) is None
        assert await world.queue.get() == KEY
        await world.handle()
        assert world.status()["observedGeneration"] == 2

    run_scenario(scenario)


async def edit(world: ReconciledWorld, **spec: Any) -> None:
    """Somebody edits the spec, and the watch tells of it."""
    (path,) = (p for p in world.api.objects if "modeldeployments" in p)
    own = world.api.objects[path]
    changed = own | {"metadata": {"generation": 2}, "spec": own["spec"] | spec}
    world.store.put(await world.api.request("PATCH", path, body=changed))


def places_taken(world: ReconciledWorld) -> int:
    """As the next one sees it that wants to roll out."""
    return world.store.rollouts.turn(("team", "another"), "default").others


def test_a_rollout_whose_writes_are_refused_leaves_its_place_to_the_next_one():
    async def scenario(world: ReconciledWorld) -> None:
        await world.handle(times=2)
        assert places_taken(world) == 1
        await edit(world, replicas=3)
        world.api.fault = refused
        for _ in range(3):
            await world.handle()
            assert (world.status()["summary"], places_taken(world)) == ("Stalled", 0)
        world.api.fault = lambda method, path: None
        await world.handle()
        assert (world.status()["summary"], places_taken(world)) == ("RollingOut", 1)

    run_scenario(scenario)


def test_a_rollout_that_is_refused_as_it_begins_stays_stalled_however_often_it_is_tried():
    async def scenario(world: ReconciledWorld) -> None:
        told: list[str] = []

        def watched(method: str, path: str) -> ApiError | None:
            error = refused(method, path)
            if error:
                told.append(world.status()["summary"])
            return error

        world.api.fault = watched
        for _ in range(4):
            await world.handle()
            assert (world.status()["summary"], places_taken(world)) == ("Stalled", 0)
        assert told == ["RollingOut", "Stalled", "Stalled", "Stalled"]
        world.api.fault = lambda method, path: None
        await world.handle()
        assert places_taken(world) == 1
        await world.handle()
        assert (world.status()["summary"], places_taken(world)) == ("RollingOut", 1)

    run_scenario(scenario)


def test_who_was_not_told_of_its_place_has_none_once_its_spec_cannot_be_understood():
    async def scenario(world: ReconciledWorld) -> None:
        world.api.fault = lambda method, path: ApiError(409, "Conflict", "it changed")
        await world.handle()
        assert places_taken(world) == 1
        world.api.fault = lambda method, path: None
        await edit(world, model={"name": "news"})
        await world.handle()
        assert (world.status()["summary"], places_taken(world)) == ("Stalled", 0)

    run_scenario(scenario)


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        ("BlueGreen", set()),
        ("Rolling", set()),
        ("Canary", {"services/rec-candidate"}),
        ("Recreate", {"services/rec-pods", "deployments/rec-lobby"}),
        ("Auto", {"services/rec-pods", "deployments/rec-lobby"}),
    ],
)
@pytest.mark.parametrize(
    "path", ["services/rec-candidate", "services/rec-pods", "deployments/rec-lobby"]
)
def test_a_name_that_its_strategy_does_not_need_may_be_somebody_elses(
    strategy: str, taken: set[str], path: str
):
    async def scenario(world: ReconciledWorld) -> None:
        kind, name = path.split("/")
        meta = {"name": name, "namespace": "team", "uid": "theirs", "resourceVersion": "3"}
        theirs = {"kind": kind.removesuffix("s").title(), "metadata": meta, "spec": {}}
        world.api.objects[f"/namespaces/team/{path}"] = theirs
        await edit(world, rollout={"strategy": strategy})
        await world.handle()
        expected = "Stalled" if path in taken else "RollingOut"
        assert world.status()["summary"] == expected
        assert world.api.objects[f"/namespaces/team/{path}"] == theirs

    run_scenario(scenario)
