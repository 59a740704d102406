"""The Lease: taken, renewed and given up by requests; what they mean is `decide/lease.py`'s."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from pennant_operator.decide.lease import (
    ObservedLease,
    Timing,
    free_at,
    holder_spec,
    may_last,
    observed_lease,
    released_spec,
)
from pennant_operator.decide.vocabulary import ANNOTATION_DECISIONS
from pennant_operator.kinds import KINDS
from pennant_operator.kube import ApiError, Object
from pennant_operator.run.lease.leadership import LostError

LOG = logging.getLogger(__name__)
LEASE_NAME = "pennant-operator"  # in the operator's namespace
RETRY_SPREAD = 0.2  # of a pause, downwards: so that candidates do not look in step
CONFLICT = 409
GONE_OR_CHANGED = (404, CONFLICT)


class Leases(Protocol):
    """What is asked of the API server (kube.Api)."""

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object; None when there is none."""

    async def request(self, method: str, path: str, query: None = None, body: Any = None) -> Object:
        """One request; raises ApiError."""


class Elector:
    """One candidate for the Lease, and its holder once it has it.

    `clock` gives seconds that never jump, `wall` the time for people to read, `random` a number
    from 0 to 1, `head` the last decision that was printed, for the Lease to tell the next holder.
    """

    def __init__(
        self,
        api: Leases,
        *,
        namespace: str,
        identity: str,
        timing: Timing,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        random: Callable[[], float],
        head: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.predecessor: str | None = None  # the last decision of whoever led before
        self.looked = asyncio.Event()
        self.acquired = asyncio.Event()
        self._api = api
        self._namespace = namespace
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._wall = wall
        self._random = random
        self._head = head
        self._seen: ObservedLease | None = None
        self._exists = False
        self._current = False  # `_seen` is the answer to our own last write
        self._renewed: float | None = None  # before that write was sent, if it made us the holder
        self._resigned = False
        self._tried = 0.0
        self._trying: asyncio.Task[bool] | None = None

    @property
    def holder(self) -> str:
        """Who held the Lease when it was last looked at; empty when nobody is known to."""
        return self._seen.holder if self._seen is not None else ""

    def may_last(self) -> float:
        """Seconds that a write begun now may take; 0: none may begin."""
        return 0.0 if self._resigned else self._left()

    async def run(self) -> None:
        """Become the holder and stay it; raises LostError when that has failed."""
        while not await self._try(self._timing.renew):
            self.looked.set()
            await asyncio.sleep(self._until_next_try())
        LOG.info("leading as %s", self._identity)
        self.acquired.set()
        self.looked.set()
        while True:
            # From when the last try began: where answers are slow, not each of them costs a pause.
            await asyncio.sleep(max(self._tried + self._pause() - self._clock(), 0))
            await self._renew()

    def resign(self) -> None:
        """No write begins from now on; the Lease is kept until `release`."""
        self._resigned = True

    async def release(self) -> None:
        """Leave the Lease to others at once, if it is ours, known or not: an answer may be lost.

        A try that is under way is waited for: it may make the Lease ours after a look.
        """
        try:
            async with asyncio.timeout(self._timing.renew):
                if self._trying is not None:
                    await self._trying
                await self._look()
                if self._seen is not None and self._seen.holder == self._identity:
                    await self._write(released_spec(self._seen, self._wall()))
                    LOG.info("released the Lease")
        except (ApiError, TimeoutError) as error:
            LOG.warning("the Lease was not released, others wait until it runs out: %s", error)

    async def _renew(self) -> None:
        """Renew, or raise LostError if the time for it is over or somebody else is the holder."""
        if self._left():
            # A request without answer leaves time for another.
            await self._try(min(self._timing.renew / 2, self._ends() - self._clock()))
        if not self._left():
            holder = self._seen.holder if self._seen is not None else ""
            reason = f"{holder} has it" if holder != self._identity else "not renewed in time"
            raise LostError(f"lost the Lease {self._namespace}/{LEASE_NAME}: {reason}")

    async def _try(self, seconds: float) -> bool:
        """Whether this process is the holder, by a write that was answered just now.

        Whoever is cancelled here does not end it: what has been sent may still be done.
        """
        self._trying = asyncio.create_task(self._answered(seconds), name="lease-try")
        return await asyncio.shield(self._trying)

    async def _answered(self, seconds: float) -> bool:
        known, self._current, self._tried = self._current, False, self._clock()
        try:
            async with asyncio.timeout(seconds):
                await (self._rewrite() if known else self._claim())
        except (ApiError, TimeoutError) as error:
            self._log_failure(error)
        return self._current

    def _log_failure(self, error: Exception) -> None:
        """Of two that start at once one is later: that is nobody's fault."""
        if isinstance(error, ApiError) and error.status == CONFLICT and not self._left():
            LOG.info("the Lease was not taken, somebody was faster: %s", error)
        else:
            LOG.warning("the Lease was not taken or renewed: %s", str(error) or "timed out")

    async def _rewrite(self) -> None:
        """Renew without a look first: nobody else should have written."""
        try:
            await self._hold()
        except ApiError as error:
            if error.status not in GONE_OR_CHANGED:
                raise
            await self._claim()

    async def _claim(self) -> None:
        """Look, and take the Lease if it is free."""
        before = self._seen.holder if self._seen is not None else None
        await self._look()
        if self._clock() >= free_at(self._seen, self._identity):
            if self._seen is not None and not self.acquired.is_set():
                annotations = self._seen.lease["metadata"].get("annotations") or {}
                self.predecessor = annotations.get(ANNOTATION_DECISIONS)
            await self._hold()
            return
        self._renewed = None
        if self._seen is not None and self._seen.holder != before:
            left = self._seen.expires_at - self._clock()
            LOG.info(
                "standing by: %s leads; if it is gone, its Lease is free in %d s",
                self._seen.holder,
                max(round(left), 0),
            )

    async def _look(self) -> None:
        lease = await self._api.get("Lease", self._namespace, LEASE_NAME)
        self._exists = lease is not None
        if lease is not None:
            self._seen = observed_lease(self._seen, lease, self._clock())

    async def _hold(self) -> None:
        began = self._clock()
        await self._write(holder_spec(self._seen, self._identity, self._timing, self._wall()))
        self._renewed, self._current = began, True

    async def _write(self, spec: Object) -> None:
        """Create or replace the Lease as it was seen; raises ApiError if it is no longer so."""
        kind, before = KINDS["Lease"], self._seen if self._exists else None
        if before is None:
            metadata: Object = {"name": LEASE_NAME, "namespace": self._namespace}
            lease: Object = {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "metadata": metadata,
            }
            method, path = "POST", kind.path(self._namespace)
        else:
            lease = before.lease
            method, path = "PUT", kind.path(self._namespace, LEASE_NAME)
        body = {**lease, "metadata": self._with_head(lease["metadata"]), "spec": spec}
        answer = await self._api.request(method, path, body=body)
        self._exists, self._seen = True, observed_lease(self._seen, answer, self._clock())
        if before is self._seen:
            # Others see no renewal in what is as it was before.
            raise ApiError(0, "NotChanged", "the Lease is unchanged: does the clock stand still?")

    def _with_head(self, metadata: Object) -> Object:
        if (head := self._head()) is None:
            return metadata
        annotations = (metadata.get("annotations") or {}) | {ANNOTATION_DECISIONS: head}
        return metadata | {"annotations": annotations}

    def _ends(self) -> float:
        return (self._renewed or 0.0) + self._timing.renew

    def _left(self) -> float:
        return may_last(self._timing, self._renewed, self._clock())

    def _pause(self) -> float:
        return self._timing.retry * (1 - RETRY_SPREAD * self._random())

    def _until_next_try(self) -> float:
        """A pause, or less when the Lease runs out before."""
        left = free_at(self._seen, self._identity) - self._clock()
        return min(left, self._pause()) if left > 0 else self._pause()
