"""One ModelDeployment, once: observe, decide, act. Every trigger ends here."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.act.carry_out import carry_out
from pennant_operator.act.cluster import Cluster, ConflictError
from pennant_operator.act.events import Recorder
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.plan import plan
from pennant_operator.kube import ApiError, Object
from pennant_operator.observe.children import Children
from pennant_operator.observe.gather import Observer
from pennant_operator.observe.store import Key, Store
from pennant_operator.run.backoff import Backoff
from pennant_operator.run.metrics import Metrics
from pennant_operator.run.queue import WorkQueue

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """What one pass needs; called with a key by the queue's workers."""

    store: Store
    children: Children
    observer: Observer
    cluster: Cluster
    recorder: Recorder
    queue: WorkQueue[Key]
    backoff: Backoff
    metrics: Metrics
    now: Callable[[], datetime]

    async def __call__(self, key: Key) -> None:
        """Reconcile, and say when to look again."""
        started = time.monotonic()
        result = "done"
        try:
            again = await self.reconcile(key)
        except ConflictError as error:
            # What was decided on changed: nothing is wrong, decide again from a fresh look.
            LOG.info("%s/%s changed meanwhile, looking again: %s", *key, error)
            self.children.forget(key)
            again, result = self.backoff.next(key), "conflict"
        except ApiError as error:
            again, result = self.backoff.next(key), "failed"
            LOG.warning("%s/%s failed, next try in %.0f s: %s", *key, again, error)
        except Exception:  # a bug met by one object must not end the work on all others
            again, result = self.backoff.next(key), "bug"
            LOG.exception("%s/%s failed unexpectedly, next try in %.0f s", *key, again)
        else:
            self.backoff.forget(key)
        self.metrics.reconciled(result, time.monotonic() - started)
        if again is not None:
            self.queue.add_after(key, again)

    async def reconcile(self, key: Key) -> float | None:
        """Seconds until the next look, None to wait for an event; raises ApiError."""
        owner = self.store.owner(key)
        if owner is None:
            self.children.forget(key)
            return None
        now = self.now()
        found = plan(await self.observer.observe(owner, now), now)
        if found.writes and not self.children.met(owner):
            # Before the first write every child's name is read: some may be somebody else's.
            await self.children.meet(owner)
            found = plan(await self.observer.observe(owner, now), now)
        await carry_out(found, owner, self.cluster, self.recorder, self.store, now)
        self._tell(owner, found)
        return found.requeue_after

    def _tell(self, owner: Object, found: Plan) -> None:
        meta = owner["metadata"]
        for event in found.events:
            LOG.info("%s/%s %s: %s", meta["namespace"], meta["name"], event.reason, event.message)
            self.metrics.happened(event.reason, found.status or {})
