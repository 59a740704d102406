"""Reconcile: observe, decide, act, and when to look again. The same for every trigger."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pennant_operator.act.carry_out import carry_out
from pennant_operator.act.cluster import (
    Cluster,
    ConflictError,
    FencedError,
    NameTakenError,
    WriteRefusedError,
)
from pennant_operator.act.events import Recorder
from pennant_operator.act.reports import report
from pennant_operator.backoff import Backoff
from pennant_operator.decide.goal import ownership
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Object, Observed, Refused
from pennant_operator.decide.seen.spec import watch_of
from pennant_operator.decide.status.stalled import hindered_plan, stalled_plan, write_refused
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.kube import ApiError
from pennant_operator.observe.cluster.children import Children
from pennant_operator.observe.cluster.store import OWNER, Key, Store
from pennant_operator.observe.gather import Observer
from pennant_operator.run.metrics.metrics import Metrics
from pennant_operator.run.queue import WorkQueue
from pennant_operator.run.targetless import Targetless

LOG = logging.getLogger(__name__)
GONE_OR_CHANGED = (404, 409)
SERVER_ERROR = 500  # and above: the API server's own trouble, or a webhook's
FAILURES_UNTIL_REPORTED = 2  # failures in a row before the status says so


@dataclass
class Attempt:
    """One reconcile: what it is about, when it began, and what was decided by now."""

    owner: Object
    now: datetime
    began: float  # as perf_counter counts
    decided: Plan = field(default_factory=Plan)

    @property
    def key(self) -> Key:
        """Of the ModelDeployment."""
        return self.owner["metadata"]["namespace"], self.owner["metadata"]["name"]

    @property
    def seconds(self) -> float:
        """How long it has taken by now."""
        return time.perf_counter() - self.began


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
    targetless: Targetless
    now: Callable[[], datetime]
    looked_at: Callable[[Key], None]
    """Called when one was reconciled, or is found gone: whoever speaks of it elsewhere may look."""

    async def handle(self, key: Key) -> None:
        """Reconcile and requeue; what fails is tried again, later each time."""
        await self._handle(key)
        self.looked_at(key)

    async def _handle(self, key: Key) -> None:
        owner = self.store.owner(key)
        if owner is None:
            self.children.forget(key)
            self.metrics.forget(key)
            await self._handle_without_owner(key)
            return
        attempt = Attempt(owner, self.now(), time.perf_counter())
        try:
            await self.reconcile(attempt)
            self.metrics.reconciled(key, owner, attempt.decided, attempt.seconds)
        except FencedError as error:  # this process ends; whoever leads looks at everything
            LOG.info("%s/%s: %s", *key, error)
        except ApiError as error:
            self._not_done(key, attempt, error)
        except Exception:  # one object that nobody thought of must not stop all the others
            LOG.exception("%s/%s: not reconciled because of a fault in the operator", *key)
            self._retry(key, attempt, "fault")
        else:
            self.backoff.forget(key)
            if attempt.decided.requeue_after is not None:
                self.queue.add_after(key, attempt.decided.requeue_after)

    async def _handle_without_owner(self, key: Key) -> None:
        """What people ask of what is not there; mostly nothing."""
        try:
            after = await self.targetless.look(key)
        except FencedError as error:
            LOG.info("%s/%s: %s", *key, error)
        except ApiError as error:
            LOG.warning("RolloutActions about %s/%s: %s", *key, error)
            self.queue.add_after(key, self.backoff.next(key))
        except Exception:  # as for a ModelDeployment
            LOG.exception("RolloutActions about %s/%s: a fault in the operator", *key)
            self.queue.add_after(key, self.backoff.next(key))
        else:
            self.backoff.forget(key)
            if after is not None:
                self.queue.add_after(key, after)

    async def reconcile(self, attempt: Attempt) -> None:
        """Bring one ModelDeployment a step further; raises ApiError."""
        seen = await self._decide(attempt)
        met = self.children.met(attempt.owner)
        if attempt.decided.claims_names or (attempt.decided.writes and not met):
            # Before the first write to a name: is there anything of it that is not ours? And is
            # the owner there, whose children the garbage collector may just have deleted?
            await self.children.meet(attempt.owner)
            attempt.owner = self._still(attempt.owner)
            seen = await self._decide(attempt)
        try:
            await self._act(attempt)
        except NameTakenError as error:
            message = ownership.names_taken_message(attempt.owner, error.message)
            refused = Refused(Reason.NAME_CONFLICT, message)
            await self._announce(attempt, stalled_plan(seen, refused, attempt.now))
            raise
        except WriteRefusedError as error:
            await self._announce(
                attempt, stalled_plan(seen, write_refused(str(error)), attempt.now)
            )
            raise
        except ApiError as error:
            if (
                error.status >= SERVER_ERROR
                and self.backoff.failures(attempt.key) >= FAILURES_UNTIL_REPORTED
            ):
                await self._announce(attempt, hindered_plan(seen, str(error), attempt.now))
            raise
        # Last, and of no rollout's concern: one that cannot be told is told later.
        await report(attempt.decided.reports, attempt.key[0], self.cluster, self.store)

    async def _decide(self, attempt: Attempt) -> Observed:
        seen = await self.observer.observe(attempt.owner, attempt.now)
        self._take(attempt, plan(seen, attempt.now))
        return seen

    def _take(self, attempt: Attempt, decided: Plan) -> None:
        """This is what is to be done, and what counts in the line of its registry."""
        attempt.decided = decided
        watch = watch_of(attempt.owner)
        registry = watch.registry if watch is not None else None
        self.store.rollouts.decided(attempt.key, registry, decided.status, begins=decided.begins)

    async def _announce(self, attempt: Attempt, decided: Plan) -> None:
        """Why it was not done, beside what was written of it by then."""
        self._take(attempt, decided)
        attempt.owner = self._still(attempt.owner)
        await self._act(attempt)

    def _still(self, owner: Object) -> Object:
        """As it is by now."""
        current = self.store.owner((owner["metadata"]["namespace"], owner["metadata"]["name"]))
        if current is None:
            raise ApiError(404, "NotFound", OWNER)
        return current

    async def _act(self, attempt: Attempt) -> None:
        owner, now = attempt.owner, attempt.now
        try:
            if not await carry_out(
                attempt.decided, owner, self.cluster, self.recorder, self.store, now
            ):
                self.queue.add(attempt.key, urgent=True)
        except ApiError as error:
            if error.status in GONE_OR_CHANGED:
                await self.children.read_owner(owner)  # the watch may have missed its change
            raise

    def _not_done(self, key: Key, attempt: Attempt, error: ApiError) -> None:
        if self.store.owner(key) is None:
            LOG.info("%s %s/%s went away unseen", OWNER, *key)
            self._forget(key)
        elif isinstance(error, ConflictError):
            LOG.info("%s/%s changed meanwhile, looking again: %s", *key, error)
            self._retry(key, attempt, "conflict")
        else:
            LOG.warning("%s/%s: %s", *key, error)
            self._retry(key, attempt, "refused" if isinstance(error, WriteRefusedError) else "api")

    def _retry(self, key: Key, attempt: Attempt, kind: str) -> None:
        live = self.store.owner(key) or attempt.owner
        self.metrics.failed(kind, key, live, attempt.decided, attempt.seconds)
        self.children.forget(key)  # what was believed may be what was wrong
        self.queue.add_after(key, self.backoff.next(key))

    def _forget(self, key: Key) -> None:
        self.children.forget(key)
        self.backoff.forget(key)
        self.metrics.forget(key)
