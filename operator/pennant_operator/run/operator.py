"""Wires the parts and keeps them running: all of them, or none."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.act.limiter import Limiter
from pennant_operator.config import Config
from pennant_operator.decide.observed import Images
from pennant_operator.kube import Api, ApiError
from pennant_operator.observe.children import Children
from pennant_operator.observe.gather import Observer
from pennant_operator.observe.listing import relist
from pennant_operator.observe.registries import Registries
from pennant_operator.observe.store import Key, Store
from pennant_operator.run import http
from pennant_operator.run.backoff import Backoff
from pennant_operator.run.metrics import Metrics
from pennant_operator.run.queue import WorkQueue, work
from pennant_operator.run.reconcile import Reconciler

LOG = logging.getLogger(__name__)
RELIST = 600.0  # seconds between two full lists, give or take a tenth


class Watcher(Protocol):
    """What feeds the store and the queue from the API server's events (observe/watch.py)."""

    def __call__(
        self,
        api: Api,
        store: Store,
        enqueue: Callable[[Key], None],
        *,
        namespaces: tuple[str, ...],
        stop: asyncio.Event,
    ) -> Awaitable[None]:
        """Feed them until `stop`."""


@dataclass(frozen=True)
class Parts:
    """The wired operator."""

    config: Config
    api: Api
    store: Store
    queue: WorkQueue[Key]
    registries: Registries
    reconciler: Reconciler
    metrics: Metrics
    listed: asyncio.Event


def wire(config: Config, api: Api) -> Parts:
    """Build every part; nothing runs yet."""
    store, queue = Store(), WorkQueue[Key]()
    metrics = Metrics(depth=queue.__len__, now=_now)
    limiter = Limiter(config.write_rate, burst=max(1, int(2 * config.write_rate)))
    cluster = Cluster(api, limiter=limiter, fence=_may_write, count=metrics.wrote)

    def enqueue(keys: Iterable[Key]) -> None:
        for key in keys:
            queue.add(key)

    registries = Registries(
        api,
        store,
        namespace=config.namespace,
        enqueue=enqueue,
        write_status=cluster.apply_status,
        answered=metrics.answered,
        now=_now,
        random=random.random,
    )
    children = Children(api, store)
    reconciler = Reconciler(
        store=store,
        children=children,
        observer=Observer(
            children, registries.look, Images(config.fetch_image, config.serving_image)
        ),
        cluster=cluster,
        recorder=Recorder(cluster, config.identity),
        metrics=metrics,
        queue=queue,
        backoff=Backoff(random.random),
        now=_now,
    )
    return Parts(config, api, store, queue, registries, reconciler, metrics, asyncio.Event())


async def run(parts: Parts, watch: Watcher, stop: asyncio.Event) -> None:
    """Run until `stop`; raises as soon as one of the parts fails, for the others are blind then."""
    config = parts.config
    server = await http.serve(
        config.http_host,
        config.http_port,
        ready=parts.listed.is_set,
        metrics=parts.metrics.registry,
    )
    # kopf cancels every task that is younger than itself when it ends: these are older.
    tasks = [
        asyncio.create_task(_list_for_ever(parts), name="lists"),
        asyncio.create_task(_work(parts), name="workers"),
        asyncio.create_task(_follow_registries(parts), name="registries"),
        asyncio.create_task(stop.wait(), name="stop"),
    ]
    watcher = watch(
        parts.api, parts.store, parts.queue.add, namespaces=config.watch_namespaces, stop=stop
    )
    tasks.append(asyncio.ensure_future(watcher))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        stop.set()
        await tasks[-1]  # kopf says its good-byes itself
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.cleanup()


async def _list_for_ever(parts: Parts) -> None:
    """The list that everything waits for, and one every ten minutes from then on."""
    while True:
        try:
            changed = await relist(parts.api, parts.store, parts.config.watch_namespaces)
        except ApiError as error:
            LOG.warning("listing failed, trying again: %s", error)
            await asyncio.sleep(2.0)
            continue
        first = not parts.listed.is_set()
        for key in parts.store.owners() if first else changed:
            parts.queue.add(key)
        if first:
            LOG.info("watching %d ModelDeployments", len(parts.store.owners()))
        parts.listed.set()
        await asyncio.sleep(RELIST * random.uniform(0.9, 1.1))  # noqa: S311 - spread, not a secret


async def _work(parts: Parts) -> None:
    await parts.listed.wait()
    await parts.registries.asked.wait()
    await work(parts.queue, parts.config.workers, parts.reconciler.handle)


async def _follow_registries(parts: Parts) -> None:
    await parts.listed.wait()
    await parts.registries.run()


def _may_write() -> None:
    """Always: a Deployment of one replica with strategy Recreate is the only writer there is."""


def _now() -> datetime:
    return datetime.now(UTC)
