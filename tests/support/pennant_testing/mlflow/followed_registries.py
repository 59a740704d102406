"""ModelRegistries that are followed for real, with the receiver of their webhooks, in this process.

The servers are real; of the API server only the few objects are pretended that are read from it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from mlflow import MlflowClient

from pennant_dev.ports import free_port
from pennant_operator.act.registry_status import RegistryStatusWriter
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.registries.followed import RegistryDependencies
from pennant_operator.observe.registries.registries import Registries
from pennant_operator.observe.webhook.delivery import Delivery, signature
from pennant_operator.run.http import receiver
from pennant_testing.memory.written_tags import write_back
from pennant_testing.mlflow.registry_polls import models, version
from pennant_testing.waiting import WAIT_SECONDS

SECRET = "a secret of the tests"


class ObjectsInMemory:
    """What the API server holds: ModelRegistries, and Secrets to read."""

    def __init__(self) -> None:
        self.registries: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, str]] = {"hooks": {"webhook-secret": SECRET}}

    async def list(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        assert (kind, namespace) == ("ModelRegistry", "pennant-system")
        return copy.deepcopy(list(self.registries.values()))

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        assert (kind, namespace) == ("Secret", "pennant-system")
        values = self.secrets.get(name)
        encoded = {k: base64.b64encode(v.encode()).decode() for k, v in (values or {}).items()}
        return None if values is None else {"data": encoded}

    async def write_status(self, live: dict[str, Any], status: dict[str, Any]) -> Any:
        if live.get("status") == status:
            return None
        live_registry = self.registries[live["metadata"]["name"]]
        live_registry["status"] = status
        return copy.deepcopy(live_registry)


class Hooked:
    """Counts requests and hooks, remembers deliveries and who was told to look again."""

    def __init__(self) -> None:
        self.objects = ObjectsInMemory()
        self.store = Store()
        self.port = free_port()
        self.requests: list[str] = []
        self.results: list[str] = []
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        self.lose = False
        """Answer hooks, and take none."""
        self.enqueued: dict[Key, float] = {}
        self.urgent: set[Key] = set()
        """Those of them that come before what waits already."""
        self.registries = Registries(
            RegistryDependencies(
                api=self.objects,  # type: ignore[arg-type]
                store=self.store,
                namespace="pennant-system",
                enqueue=self._enqueue,
                write_health=RegistryStatusWriter(
                    self.objects.write_status, lambda: datetime.now(UTC)
                ).write,
                counts=self,
                now=lambda: datetime.now(UTC),
                random=lambda: 0.5,
                write_back=write_back(self.store),
            )
        )
        self._receiver = receiver.Receiver(
            self.registries.webhook, lambda _, result: self.results.append(str(result))
        )

    def braked(self, registry: str, *, on: bool) -> None:
        """Of no interest here."""

    def lined_up(self, registry: str, under_way: int, waiting: int) -> None:
        """Of no interest here."""

    def unwritten(self, registry: str, places: int) -> None:
        """Of no interest here."""

    def _enqueue(self, keys: Iterable[Key], *, urgent: bool = False) -> None:
        now_enqueued = {key: time.monotonic() for key in keys}
        self.enqueued |= now_enqueued
        self.urgent.update(now_enqueued if urgent else ())

    def registry(self, url: str, name: str = "default", **spec: Any) -> None:
        """A ModelRegistry that takes hooks and is polled once an hour."""
        values = {
            "url": url,
            "pollInterval": "1h",
            "webhook": {"secret": {"name": "hooks"}},
            **spec,
        }
        uid = uuid4().hex
        self.objects.registries[name] = {
            "metadata": {"name": name, "namespace": "pennant-system", "uid": uid, "generation": 1},
            "spec": values,
        }

    def registered(self) -> dict[str, Any]:
        return {
            "secret": {"name": "hooks"},
            "register": True,
            "url": f"http://127.0.0.1:{self.port}",
        }

    def follow(self, model: str, registry: str = "default", **pointer: str) -> Watch:
        """A ModelDeployment of the model's name."""
        pointer = pointer or {"alias": "production"}
        self.store.put(
            {
                "kind": "ModelDeployment",
                "metadata": {
                    "name": model,
                    "namespace": "team",
                    "uid": uuid4().hex,
                    "resourceVersion": "1",
                },
                "spec": {"registry": registry, "model": {"name": model, **pointer}},
            }
        )
        return Watch(registry, model, **pointer)

    def version(self, watch: Watch) -> str:
        """What the watch is known to want; empty when that is nothing or not known."""
        desired, _ = self.registries.look_up(watch, ("team", watch.model))
        return desired.version if isinstance(desired, ModelVersion) else ""

    def status(self, name: str = "default") -> dict[str, Any]:
        status: dict[str, Any] = self.objects.registries[name].get("status", {})
        return status

    def condition(self, kind: str, name: str = "default") -> dict[str, Any]:
        conditions = self.status(name).get("conditions", ())
        return next((each for each in conditions if each["type"] == kind), {})

    async def post(self, headers: dict[str, str], body: bytes, path: str = "/hooks/default") -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers
            ) as answer,
        ):
            return answer.status

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application(
            middlewares=[self._remember], client_max_size=receiver.BODY_LIMIT_BYTES
        )
        app.add_routes([web.post("/hooks/{registry}", self._receiver.answer)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        following = asyncio.create_task(self.registries.run())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await runner.cleanup()

    @web.middleware
    async def _remember(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.deliveries.append((dict(request.headers), await request.read()))
        return web.Response() if self.lose else await handler(request)

    def answered(self, registry: str, at: datetime) -> None:
        pass

    def requested(self, registry: str, status: int, seconds: float) -> None:
        self.requests.append(registry)

    def forget(self, registry: str) -> None:
        pass


def run(scenario: Callable[[Hooked], Coroutine[Any, Any, None]]) -> None:
    """A scenario; it starts what it needs by `running`."""
    asyncio.run(scenario(Hooked()))


async def until(true: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        await asyncio.sleep(0.005)


def signed(body: bytes, *, name: str = "", sent: float | None = None, secret: str = SECRET) -> Any:
    """Headers and body as MLflow would send them."""
    hook = Delivery(name or str(uuid4()), int(time.time() if sent is None else sent), "", body)
    return {
        "X-MLflow-Delivery-Id": hook.id,
        "X-MLflow-Timestamp": str(hook.sent),
        "X-MLflow-Signature": signature(secret.encode(), hook),
    }, body


async def promote(client: MlflowClient, model: str, version: str) -> float:
    """Set the alias; when the request for it was sent."""
    began = time.monotonic()
    await asyncio.to_thread(client.set_registered_model_alias, model, "production", version)
    return began


def without_webhooks(url: str) -> Iterator[MlflowClient]:
    """A client of an MLflow that has no webhooks, before and after."""
    mlflow = MlflowClient(url)
    yield mlflow
    for hook in mlflow.list_webhooks():
        mlflow.delete_webhook(hook.webhook_id)


def two_versions(client: MlflowClient) -> str:
    """A registered model with version 1 promoted, and a version 2."""
    (watch,) = models(client, 1)
    version(client, watch.model)
    return watch.model


async def follows(hooked: Hooked, watch: Watch) -> None:
    """It knows version 1, and MLflow knows where to send hooks."""
    await until(lambda: hooked.version(watch) == "1" and hooked.status().get("webhook"))
