"""Wires observe, decide and act together, and runs them until told to stop."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

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
from pennant_operator.run.backoff import Backoff
from pennant_operator.run.http import exposition, serve
from pennant_operator.run.metrics import Fleet, Metrics
from pennant_operator.run.queue import WorkQueue, work
from pennant_operator.run.reconcile import Reconciler

LOG = logging.getLogger(__name__)
RELIST_SECONDS = 600.0

Watcher = Callable[[Api, Store, Callable[[Key], None], tuple[str, ...]], Awaitable[None]]


def now() -> datetime:
    """The clock everything is decided by."""
    return datetime.now(UTC)


def may_write() -> None:
    """The fence before every write. One replica runs (Recreate), so it lets everything through."""


class Operator:
    """All parts, made once."""

    def __init__(self, config: Config, api: Api) -> None:
        self._config = config
        self._api = api
        self._listed = False
        self.store = Store()
        self.queue: WorkQueue[Key] = WorkQueue()
        self.metrics = Metrics()
        cluster = Cluster(
            api,
            limiter=Limiter(config.write_rate, burst=int(2 * config.write_rate)),
            fence=may_write,
            count=self.metrics.wrote,
        )
        self.registries = Registries(
            api,
            self.store,
            namespace=config.namespace,
            enqueue=self._enqueue,
            write_status=cluster.apply_status,
            answered=self.metrics.answered,
            now=now,
            random=random.random,
        )
        children = Children(api, self.store)
        images = Images(config.fetch_image, config.serving_image)
        self.reconcile = Reconciler(
            store=self.store,
            children=children,
            observer=Observer(children, self.registries.look, images),
            cluster=cluster,
            recorder=Recorder(cluster, config.identity),
            queue=self.queue,
            backoff=Backoff(random.random),
            metrics=self.metrics,
            now=now,
        )

    async def run(self, watch: Watcher) -> None:
        """List, then work until `watch` returns; raises ApiError when the first list fails."""
        config = self._config
        server = await serve(
            config.http_host, config.http_port, ready=lambda: self._listed, metrics=self._metrics
        )
        try:
            await self._relist()
            self._enqueue(self.store.owners())
            self._listed = True
            LOG.info("watching %d ModelDeployments", len(self.store.owners()))
            await self._work_until_stopped(watch)
        finally:
            await server.cleanup()

    async def _work_until_stopped(self, watch: Watcher) -> None:
        """The parts start before kopf does: it ends every task that is younger than itself."""
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(work(self.queue, self._config.workers, self.reconcile)),
                group.create_task(self.registries.run()),
                group.create_task(self._relist_regularly()),
            ]
            await watch(self._api, self.store, self.queue.add, self._config.watch_namespaces)
            for part in parts:
                part.cancel()

    def _enqueue(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.queue.add(key)

    async def _relist(self) -> set[Key]:
        return await relist(self._api, self.store, self._config.watch_namespaces)

    async def _relist_regularly(self) -> None:
        while True:
            await asyncio.sleep(RELIST_SECONDS)
            try:
                changed = await self._relist()
            except ApiError as error:
                LOG.warning("the cluster could not be listed, the watch goes on: %s", error)
                continue
            self._enqueue(changed)

    def _metrics(self) -> bytes:
        owners = (self.store.owner(key) for key in self.store.owners())
        fleet = CollectorRegistry()
        fleet.register(Fleet([o for o in owners if o is not None], len(self.queue), now()))
        return exposition(self.metrics.registry, fleet)
