"""Keeps the parts running: all of them, or none."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from pennant_operator.kube import Api
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.run.http import probes, receiver
from pennant_operator.run.queue import work
from pennant_operator.run.wiring import Parts

LOG = logging.getLogger(__name__)


class Watcher(Protocol):
    """What feeds the store and the queue from the API server's events (cluster/watch.py)."""

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


async def run(parts: Parts, watch: Watcher, stop: asyncio.Event) -> None:
    """Run until `stop`; raises as soon as one of the parts fails, for the others are blind then.

    A replica that does not lead watches and lists like the leader, so that it is soon ready to
    take over. It asks no registry and writes nothing.
    """
    config = parts.config
    server = await probes.serve(
        config.http_host,
        config.http_port,
        ready=parts.lists.listed.is_set,
        metrics=parts.metrics.registry,
    )
    hooks = await receiver.serve(config.http_host, config.webhook_port, parts.hooks)
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
        if parts.decisions is not None:
            await asyncio.to_thread(parts.decisions.close)
        await parts.reader.close()
        await parts.sender.close()
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
