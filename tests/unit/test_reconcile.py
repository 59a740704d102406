"""What one reconcile leaves behind whatever becomes of it: metrics, the store, the log."""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder, truncated
from pennant_operator.backoff import Backoff
from pennant_operator.decide.seen.observed import Desired
from pennant_operator.kube import ApiError
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.gather import Observer
from pennant_operator.run.metrics.metrics import Metrics
from pennant_operator.run.queue import WorkQueue
from pennant_operator.run.reconcile import Reconciler
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.memory.object_builders import IMAGES, NOW, REGISTRY, model_deployment, version

pytestmark = pytest.mark.unit

KEY = ("team", "rec")
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
Fault = Callable[[str, str], ApiError | None]


class ApiServer:
    """Takes every write that `fault` does not refuse, and remembers what it holds and was asked."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.fault: Fault = lambda method, path: None
        self._version = 10

    async def request(self, method: str, path: str, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked.append((method, path))
        if (error := self.fault(method, path)) is not None:
            raise error
        body = copy.deepcopy(_[1] if len(_) > 1 else __["body"])
        if path.endswith("/events"):
            self.events.append(body)
            return body
        path = path.removesuffix("/status")
        if method == "POST":
            path += f"/{body['metadata']['name']}"
        elif path.endswith("/rec") and "modeldeployments" in path and path not in self.held:
            raise ApiError(404, "NotFound", "not found")
        self._version += 1
        before = self.held.get(path, {"metadata": {"uid": f"uid-{self._version}"}})
        meta = before["metadata"] | body["metadata"] | {"resourceVersion": str(self._version)}
        self.held[path] = {**before, **body, "metadata": meta}
        return copy.deepcopy(self.held[path])

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        path = f"/{kind.lower()}s/{name}"
        return next((copy.deepcopy(o) for p, o in self.held.items() if p.endswith(path)), None)

    async def list(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        return []


class World:
    """One ModelDeployment under a real Reconciler; time passes as told."""

    def __init__(self, desired: Desired) -> None:
        self.api, self.store, self.now = ApiServer(), Store(), NOW
        self.desired = desired
        self.metrics = Metrics(depth=int, may_write=float, now=lambda: self.now)
        api: Any = self.api
        cluster = Cluster(
            api, limiter=TokenBucket(1e6, 1000), fence=lambda: 60.0, count=self.metrics.wrote
        )
        children = Children(api, self.store)
        observer = Observer(children, self, IMAGES)
        self.queue = WorkQueue[Any]()
        self.reconciler = Reconciler(
            self.store,
            children,
            observer,
            cluster,
            Recorder(cluster, "test"),
            self.metrics,
            self.queue,
            Backoff(lambda: 0.5),
            lambda: self.now,
        )
        self.own = model_deployment()
        self.api.held["/apis/pennant.dev/v1alpha1/namespaces/team/modeldeployments/rec"] = self.own
        self.store.put(self.own)

    def look_up(self, *_: Any) -> Any:
        return self.desired, REGISTRY

    def gate_facts(self, *_: Any) -> None:
        """No gate asks."""

    async def handle(self, times: int = 1, minutes: float = 0) -> None:
        for _ in range(times):
            await self.reconciler.handle(KEY)
            self.now += timedelta(minutes=minutes)

    def collect_garbage(self) -> None:
        """Every child is gone, and the watch told of those that it watches."""
        self.api.held = {}
        for kind, name in (("Deployment", "rec-blue"), ("Service", "rec")):
            meta = (self.store.get(kind, "team", name) or {"metadata": {}})["metadata"]
            if meta:
                version = int(meta["resourceVersion"])
                self.store.drop(kind, "team", name, meta["uid"], version)

    def status(self) -> dict[str, Any]:
        """Of the ModelDeployment, as the API server has it."""
        own = self.store.owner(KEY)
        assert own is not None
        return dict(own["status"])

    def sample(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The labels of each sample of a metric, and its value."""
        text = generate_latest(self.metrics.registry).decode()
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }

    def fires(self, alert: str) -> bool:
        """Whether an alert of the docs would: a metric, one matcher, a threshold."""
        (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        rules = yaml.safe_load(block)["spec"]["groups"][0]["rules"]
        expr = next(rule["expr"] for rule in rules if rule["alert"] == alert)
        name, how, reason, most = re.fullmatch(
            r'max by \([a-z, ]+\) \((\w+)\{reason(!~|=)"([^"]+)"\}\) > (\d+)', expr
        ).groups()
        for labels, value in self.sample(name).items():
            same = re.fullmatch(reason, dict(labels)["reason"]) is not None
            if same == (how == "=") and value > float(most):
                return True
        return False


def run(scenario: Callable[[World], Any], desired: Desired | None = None) -> None:
    async def within() -> None:
        await scenario(World(desired or version(7)))

    asyncio.run(within())


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
    async def scenario(world: World) -> None:
        world.api.fault = fault
        await world.handle(times=2, minutes=5)
        assert not world.fires("AliasNotServed")
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["desired"] == ("7" if kind == "api" else "")
        assert dict(labels)["serving"] == ""
        await world.handle(times=2, minutes=5)
        assert world.fires("AliasNotServed")
        assert not world.fires("VersionRejected")
        (drift,) = world.sample("pennant_alias_drift_seconds")
        assert dict(drift)["reason"] == reason
        errors = world.sample("pennant_reconcile_errors_total")
        assert errors == {(("kind", kind),): 4}
        assert sum(world.sample("pennant_reconcile_duration_seconds_count").values()) == 4
        world.api.fault = lambda method, path: None
        await world.handle(times=1)
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["desired"] == "7"

    run(scenario)


def test_an_api_server_that_fails_on_writes_again_and_again_is_told_until_it_does_not():
    async def scenario(world: World) -> None:
        world.api.fault = broken
        await world.handle(times=2)
        assert "conditions" not in world.status()
        await world.handle(times=1)
        status = world.status()
        assert told(status, "Reconciling") == ("True", "WriteFailed")
        assert told(status, "AliasInSync") == ("False", "WriteFailed")
        assert told(status, "Stalled") == ("False", "NotStalled")
        assert status["desired"]["version"] == "7"
        world.api.fault = lambda method, path: None
        await world.handle(times=2)
        assert told(world.status(), "Reconciling") == ("True", "RollingOut")

    run(scenario)


def told(status: dict[str, Any], kind: str) -> tuple[str, str]:
    found = next(c for c in status["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


def test_a_fault_of_the_operator_hides_no_modeldeployment_from_the_metrics(
    caplog: pytest.LogCaptureFixture,
):
    class Odd:
        """What no version is."""

    async def scenario(world: World) -> None:
        await world.handle()
        world.desired = Odd()  # type: ignore[assignment]
        await world.handle()
        (labels,) = world.sample("pennant_modeldeployment_info")
        assert dict(labels)["name"] == "rec"
        assert world.sample("pennant_reconcile_errors_total") == {(("kind", "fault"),): 1}

    run(scenario)
    assert "a fault in the operator" in caplog.text


@pytest.mark.parametrize("left", [True, False], ids=["children left", "children collected"])
def test_an_owner_whose_deletion_was_missed_is_dropped_and_gets_no_children_again(
    left: bool, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)

    async def scenario(world: World) -> None:
        await world.handle()
        owner = next(path for path in world.api.held if "modeldeployments" in path)
        del world.api.held[owner]
        if not left:
            world.collect_garbage()
        world.desired = version(8)
        await world.handle()
        assert world.store.owner(KEY) is None
        assert left or world.api.held == {}
        asked = len(world.api.asked)
        await world.handle()
        assert len(world.api.asked) == asked
        assert world.sample("pennant_modeldeployment_info") == {}

    run(scenario)
    assert "ModelDeployment team/rec went away unseen" in caplog.text


def test_an_owner_that_was_replaced_unseen_is_known_by_its_new_uid():
    async def scenario(world: World) -> None:
        await world.handle()
        (path,) = (p for p in world.api.held if "modeldeployments" in p)
        new = model_deployment()
        new["metadata"] |= {"uid": "another", "resourceVersion": "900"}
        world.api.held[path] = new
        world.api.fault = lambda method, path: (
            ApiError(409, "Conflict", "uid mismatch") if path.endswith("/status") else None
        )
        world.desired = version(8)
        await world.handle()
        owner = world.store.owner(KEY)
        assert owner is not None
        assert owner["metadata"]["uid"] == "another"

    run(scenario)


def test_the_log_tells_what_every_event_does(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)

    async def scenario(world: World) -> None:
        await world.handle()
        assert [each["reason"] for each in world.api.events] == ["AliasMoved", "RolloutStarted"]
        for event in world.api.events:
            line = f"team/rec: {event['reason']}: {event['message']}"
            assert [r.getMessage() for r in caplog.records].count(line) == 1
        names = [event["metadata"]["name"] for event in world.api.events]
        assert names == sorted(set(names))

    run(scenario)


def test_what_happens_again_is_told_again_and_what_is_decided_again_is_not():
    """An alias goes back and forth within minutes; a status is not taken at first."""

    async def scenario(world: World) -> None:
        for number in (8, 7, 8, 7):
            world.desired = version(number)
            world.api.fault = lambda method, path: (
                ApiError(500, "InternalError", "no leader") if path.endswith("/status") else None
            )
            await world.handle(times=2)
            world.api.fault = lambda method, path: None
            await world.handle(times=2)
        moves = [e["message"] for e in world.api.events if e["reason"] == "AliasMoved"]
        assert [re.sub(" of news", "", move) for move in moves] == [
            "alias production points at version 8",
            "alias production points at version 7 (was 8)",
            "alias production points at version 8 (was 7)",
            "alias production points at version 7 (was 8)",
        ]

    run(scenario)


def test_a_record_that_cannot_be_read_is_told_once_whatever_else_changes():
    async def scenario(world: World) -> None:
        await world.handle()
        record = next(o for p, o in world.api.held.items() if "controllerrevisions" in p)
        world.store.put({**record, "data": {}, "metadata": record["metadata"] | {
            "name": "rec-x", "uid": "x", "resourceVersion": "800"}})  # fmt: skip
        for number in (8, 7, 8):
            world.desired = version(number)
            await world.handle(times=2)
        told = [e["reason"] for e in world.api.events]
        assert told.count("RecordUnreadable") == 1

    run(scenario)


@pytest.mark.parametrize("text", ["a" * 2000, "ä" * 800, "語" * 500, "🚩" * 300, "\ud800" * 2000])
def test_a_note_is_cut_at_bytes_between_characters_and_says_so(text: str):
    found = truncated(text, 1024)
    assert 1020 <= len(found.encode()) <= 1024
    assert found.endswith("…")
    assert text.encode(errors="replace").decode().startswith(found[:-1])


@pytest.mark.parametrize("text", ["", "a" * 1024, "ä" * 512])
def test_what_has_room_is_not_cut(text: str):
    assert truncated(text, 1024) == text
