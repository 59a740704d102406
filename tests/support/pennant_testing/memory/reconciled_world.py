"""A real Reconciler around one ModelDeployment, with an API server in memory."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.backoff import Backoff
from pennant_operator.decide.seen.observed import Desired
from pennant_operator.kube import ApiError
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.gather import Observer
from pennant_operator.run.metrics.metrics import Metrics
from pennant_operator.run.queue import WorkQueue
from pennant_operator.run.reconcile import Reconciler
from pennant_operator.run.targetless import Targetless
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.folders import REPOSITORY
from pennant_testing.memory.object_builders import IMAGES, NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.receivers import ReceiversInMemory

KEY = ("team", "rec")


RULES = REPOSITORY / "manifests" / "monitoring" / "rules.yaml"


Fault = Callable[[str, str], ApiError | None]


class ApiServerInMemory:
    """Takes every write that `fault` does not refuse, and remembers what it holds and was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.fault: Fault = lambda method, path: None
        self._version = 10

    async def request(self, method: str, path: str, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked.append((method, path))
        if (error := self.fault(method, path)) is not None:
            raise error
        body: dict[str, Any] = copy.deepcopy(_[1] if len(_) > 1 else __["body"])
        if path.endswith("/events"):
            self.events.append(body)
            return body
        path = path.removesuffix("/status")
        if method == "POST":
            path += f"/{body['metadata']['name']}"
        elif path.endswith("/rec") and "modeldeployments" in path and path not in self.objects:
            raise ApiError(404, "NotFound", "not found")
        self._version += 1
        before = self.objects.get(path, {"metadata": {"uid": f"uid-{self._version}"}})
        meta = before["metadata"] | body["metadata"] | {"resourceVersion": str(self._version)}
        self.objects[path] = {**before, **body, "metadata": meta}
        return copy.deepcopy(self.objects[path])

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        path = f"/{kind.lower()}s/{name}"
        return next((copy.deepcopy(o) for p, o in self.objects.items() if p.endswith(path)), None)

    async def list(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        return []


class ReconciledWorld:
    """One ModelDeployment under a real Reconciler; time passes as told."""

    def __init__(self, desired: Desired) -> None:
        self.api, self.store, self.now = ApiServerInMemory(), Store(), NOW
        self.desired, self.registry = desired, REGISTRY
        self.metrics = Metrics(depth=int, may_write=float, now=lambda: self.now)
        api: Any = self.api
        cluster = Cluster(
            api, limiter=TokenBucket(1e6, 1000), fence=lambda: 60.0, count=self.metrics.wrote
        )
        children = Children(api, self.store)
        self.queue = WorkQueue[Any]()
        self.receivers = ReceiversInMemory(lambda: self.now)
        self.courier = self.receivers.courier(self.store, self.queue.add)
        observer = Observer(
            children, self, IMAGES, self, self.store.rollouts, sent=self.courier.sent
        )
        self.reconciler = Reconciler(
            self.store,
            children,
            observer,
            cluster,
            Recorder(cluster, "test"),
            self.metrics,
            self.queue,
            Backoff(lambda: 0.5),
            Targetless(
                self.store,
                cluster,
                "pennant-system",
                lambda _: True,
                self.resume,
                lambda: self.now,
            ),
            lambda: self.now,
            lambda _: None,
            self.courier,
        )
        self.own = model_deployment()
        self.api.objects["/apis/pennant.dev/v1alpha1/namespaces/team/modeldeployments/rec"] = (
            self.own
        )
        self.store.put(self.own)

    def look_up(self, *_: Any) -> Any:
        """What the registry says."""
        return self.desired, self.registry

    def holds(self, *_: Any) -> None:
        """The registry says nothing of any."""

    async def resume(self, _: str) -> None:
        """No brake holds."""

    def last_good(self, *_: Any) -> None:
        """There is none."""

    def serving_missing(self, *_: Any) -> bool:
        """What serves is still registered."""
        return False

    def gate_facts(self, *_: Any) -> None:
        """No gate asks."""

    def latest(self, *_: Any) -> None:
        """No pod is there to be asked."""

    def forget(self, *_: Any) -> None:
        """Nor was one."""

    async def handle(self, times: int = 1, minutes: float = 0) -> None:
        for _ in range(times):
            await self.reconciler.handle(KEY)
            self.now += timedelta(minutes=minutes)

    def collect_garbage(self) -> None:
        """Every child is gone, and the watch told of those that it watches."""
        self.api.objects = {}
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
        """Whether an alert would that is a metric, one matcher, a threshold."""
        groups = yaml.safe_load(RULES.read_text())["spec"]["groups"]
        expr = next(r["expr"] for group in groups for r in group["rules"] if r["alert"] == alert)
        matched = re.fullmatch(
            r'max by \([a-z, ]+\) \((\w+)\{reason(!~|=)"([^"]+)"\}\) > (\d+)', expr
        )
        assert matched is not None, expr
        name, how, reason, most = matched.groups()
        for labels, value in self.sample(name).items():
            same = re.fullmatch(reason, dict(labels)["reason"]) is not None
            if same == (how == "=") and value > float(most):
                return True
        return False


def run_scenario(
    scenario: Callable[[ReconciledWorld], Any], desired: Desired | None = None
) -> None:
    async def within() -> None:
        await scenario(ReconciledWorld(desired or version(7)))

    asyncio.run(within())
