"""Reconcile: observe, decide, act, and when to look again. The same for every trigger."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.act.carry_out import carry_out
from pennant_operator.act.cluster import (
    Cluster,
    ConflictError,
    FencedError,
    NameTakenError,
    RefusedError,
)
from pennant_operator.act.events import Recorder
from pennant_operator.decide import ownership
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.observed import Object, Refused
from pennant_operator.decide.plan import plan
from pennant_operator.decide.refusal import not_taken, refuse
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.kube import ApiError
from pennant_operator.observe.children import Children
from pennant_operator.observe.gather import Observer
from pennant_operator.observe.store import Key, Store
from pennant_operator.run.backoff import Backoff
from pennant_operator.run.metrics import Metrics
from pennant_operator.run.queue import WorkQueue

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Everything one reconcile needs."""

    store: Store
    children: Children
    observer: Observer
    cluster: Cluster
    recorder: Recorder
    metrics: Metrics
    queue: WorkQueue[Key]
    backoff: Backoff
    now: Callable[[], datetime]

    async def reconcile(self, key: Key) -> float | None:
        """Bring one ModelDeployment a step further; seconds until it wants to be seen again."""
        started, now = time.perf_counter(), self.now()
        owner = self.store.owner(key)
        if owner is None:
            self._forget(key)
            return None
        seen = await self.observer.observe(owner, now)
        decided = plan(seen, now)
        if decided.meets or (decided.writes and not self.children.met(owner)):
            # Before the first write to a name: is there anything of it that is not ours?
            await self.children.meet(owner)
            seen = await self.observer.observe(owner, now)
            decided = plan(seen, now)
        try:
            await self._act(decided, owner, now)
        except NameTakenError as error:
            taken = Refused(Reason.NAME_CONFLICT, ownership.taken(owner, error.message))
            await self._act(refuse(seen, taken, now), owner, now)
            raise
        except RefusedError as error:
            await self._act(refuse(seen, not_taken(str(error)), now), owner, now)
            raise
        self.metrics.reconciled(key, owner, decided, time.perf_counter() - started)
        return decided.requeue_after

    async def _act(self, decided: Plan, owner: Object, now: datetime) -> None:
        await carry_out(decided, owner, self.cluster, self.recorder, self.store, now)

    async def handle(self, key: Key) -> None:
        """Reconcile and requeue; what fails is tried again, later each time."""
        try:
            again = await self.reconcile(key)
        except FencedError as error:  # this process ends; whoever leads looks at everything
            LOG.info("%s/%s: %s", *key, error)
        except ConflictError as error:
            LOG.info("%s/%s changed meanwhile, looking again: %s", *key, error)
            self._retry(key, "conflict")
        except ApiError as error:
            LOG.warning("%s/%s: %s", *key, error)
            self._retry(key, "api")
        except Exception:  # one object that nobody thought of must not stop all the others
            LOG.exception("%s/%s: not reconciled because of a fault in the operator", *key)
            self._retry(key, "fault")
        else:
            self.backoff.forget(key)
            if again is not None:
                self.queue.add_after(key, again)

    def _retry(self, key: Key, kind: str) -> None:
        self.metrics.failed(kind)
        self.children.forget(key)  # what was believed may be what was wrong
        self.queue.add_after(key, self.backoff.next(key))

    def _forget(self, key: Key) -> None:
        self.children.forget(key)
        self.backoff.forget(key)
        self.metrics.forget(key)
