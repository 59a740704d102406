"""Wires the parts and keeps them running: all of them, or none."""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.events import Recorder
from pennant_operator.act.limiter import Limiter
from pennant_operator.config import Config
from pennant_operator.decide.observed import Images
from pennant_operator.kube import Api
from pennant_operator.observe.children import Children
from pennant_operator.observe.followed import Around
from pennant_operator.observe.gather import Observer
from pennant_operator.observe.registries import Registries
from pennant_operator.observe.store import Key, Store
from pennant_operator.run import http, receiver
from pennant_operator.run.backoff import Backoff
from pennant_operator.run.leader import Elector
from pennant_operator.run.leadership import Alone, Leadership, clock
from pennant_operator.run.lists import Lists
from pennant_operator.run.metrics import Metrics
from pennant_operator.run.queue import WorkQueue, work
from pennant_operator.run.reconcile import Reconciler
from pennant_operator.run.relay import Relay, address, identity

LOG = logging.getLogger(__name__)


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
    ) -> Coroutine[Any, Any, None]:
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
    cluster: Cluster
    metrics: Metrics
    lease: Leadership
    lists: Lists


def wire(config: Config, api: Api) -> Parts:
    """Build every part; nothing runs yet."""
    store, queue = Store(), WorkQueue[Key]()
    lease = _leadership(config, api)
    metrics = Metrics(depth=queue.__len__, may_write=lease.may_last, now=_now)
    limiter = Limiter(config.write_rate, burst=max(1, int(2 * config.write_rate)))
    cluster = Cluster(api, limiter=limiter, fence=lease.may_last, count=metrics.wrote)

    def enqueue(keys: Iterable[Key]) -> None:
        for key in keys:
            queue.add(key)

    registries = Registries(
        Around(
            api=api,
            store=store,
            namespace=config.namespace,
            enqueue=enqueue,
            write_status=cluster.apply_status,
            counts=metrics.registries,
            now=_now,
            random=random.random,
        )
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
    return Parts(
        config,
        api,
        store,
        queue,
        registries,
        reconciler,
        cluster,
        metrics,
        lease,
        Lists(api, store, queue, lease, config.watch_namespaces),
    )


def _leadership(config: Config, api: Api) -> Leadership:
    if not config.leader_elect:
        return Alone()
    return Elector(
        api,
        namespace=config.namespace,
        # A pod's name stays when its container is started again: that one has to wait, too.
        identity=identity(
            f"{config.identity}_{uuid.uuid4().hex[:8]}", config.pod_ip, config.webhook_port
        ),
        timing=config.timing,
        clock=clock,
        wall=_now,
        random=random.random,
    )


def _receiver(parts: Parts) -> receiver.Receiver:
    def leader() -> str | None:
        return None if parts.lease.may_last() > 0 else address(parts.lease.holder)

    counts = parts.metrics.registries
    return receiver.Receiver(parts.registries.webhook, counts.hooked, Relay(leader))


async def run(parts: Parts, watch: Watcher, stop: asyncio.Event) -> None:
    """Run until `stop`; raises as soon as one of the parts fails, for the others are blind then.

    A replica that does not lead watches and lists like the leader, so that it is soon ready to
    take over. It asks no registry and writes nothing.
    """
    config = parts.config
    server = await http.serve(
        config.http_host,
        config.http_port,
        ready=parts.lists.listed.is_set,
        metrics=parts.metrics.registry,
    )
    hooks = await receiver.serve(config.http_host, config.webhook_port, _receiver(parts))
    over = asyncio.Event()
    lease = asyncio.create_task(parts.lease.run(), name="lease")
    ours: list[asyncio.Task[Any]] = [
        lease,
        asyncio.create_task(parts.lists.run(), name="lists"),
        asyncio.create_task(_work(parts), name="workers"),
        asyncio.create_task(_follow_registries(parts), name="registries"),
        asyncio.create_task(stop.wait(), name="stop"),
    ]
    watcher = watch(
        parts.api, parts.store, parts.lists.heard, namespaces=config.watch_namespaces, stop=over
    )
    kopf = asyncio.create_task(watcher, name="watch")
    try:
        done, _ = await asyncio.wait([*ours, kopf], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await _hand_over(parts, lease)
        # kopf waits for every task that is younger than itself: it ends after the workers.
        await _cancelled(ours)
        over.set()
        await kopf
    finally:
        await _cancelled([*ours, kopf])
        await hooks.cleanup()
        await server.cleanup()


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _hand_over(parts: Parts, lease: asyncio.Task[None]) -> None:
    """Let a standby lead: no write begins, those under way end, and then the Lease is left."""
    LOG.info("told to end")
    parts.lease.resign()
    await parts.cluster.quiet()
    lease.cancel()
    await asyncio.wait([lease])
    await parts.lease.release()


async def _work(parts: Parts) -> None:
    await parts.lists.leading.wait()
    await parts.registries.asked.wait()
    await work(parts.queue, parts.config.workers, parts.reconciler.handle)


async def _follow_registries(parts: Parts) -> None:
    await parts.lists.leading.wait()
    await parts.registries.run()


def _now() -> datetime:
    return datetime.now(UTC)
