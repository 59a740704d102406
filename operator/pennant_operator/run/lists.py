"""What there is, listed: at the start, by whoever takes over the lead, and every ten minutes."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from pennant_operator.kube import Api, ApiError
from pennant_operator.observe.cluster.listing import relist
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.run.lease.leadership import Leadership
from pennant_operator.run.queue import WorkQueue

LOG = logging.getLogger(__name__)
RELIST_INTERVAL_SECONDS = 600.0  # between two full lists, give or take a tenth
RELIST_RETRY_SECONDS = 2.0  # until a list that failed is tried again


@dataclass(frozen=True)
class Lists:
    """Keeps the store complete, and queues what there is to look at when this process leads.

    A standby queues nothing: nobody would work on it, and all of it is looked at on taking over.
    """

    api: Api
    store: Store
    queue: WorkQueue[Key]
    lease: Leadership
    namespaces: tuple[str, ...]
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    """The first list is in."""
    leading: asyncio.Event = field(default_factory=asyncio.Event)
    """A list that began after this process became the leader is in: what others wrote is known."""

    def heard(self, key: Key) -> None:
        """The watch tells of a change."""
        if self.lease.acquired.is_set():
            self.queue.add(key, urgent=True)

    async def run(self) -> None:
        """List until cancelled."""
        await self.lease.looked.wait()  # who leads from the start lists once, not twice
        while True:
            leads = self.lease.acquired.is_set()
            try:
                changed = await relist(self.api, self.store, self.namespaces)
            except ApiError as error:
                LOG.warning("listing failed, trying again: %s", error)
                await asyncio.sleep(RELIST_RETRY_SECONDS)
                continue
            if not self.listed.is_set():
                LOG.info("watching %d ModelDeployments", len(self.store.owners()))
                self.listed.set()
            if leads:
                self._queue(changed)
            await self._pause(leads=leads)

    def _queue(self, changed: Iterable[Key]) -> None:
        """A leader's first list calls for a look at everything, a later one at what is news."""
        for key in changed if self.leading.is_set() else self.store.owners():
            self.queue.add(key)
        self.leading.set()

    async def _pause(self, *, leads: bool) -> None:
        """Until the next list is due: at once when this process becomes the leader."""
        seconds = RELIST_INTERVAL_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311 - spread, not a secret
        if leads:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.lease.acquired.wait()
