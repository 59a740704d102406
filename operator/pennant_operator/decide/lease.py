"""Who may write: the rules of the Lease, as functions of what was seen and of a clock.

A candidate takes the Lease over when it has seen no change of it for as long as its holder asked.
The holder stops sooner than that, and counts from before it sent its last renewal, while the
candidate counts from after it saw the answer. Each counts on its own clock, which never jumps; two
clocks are never compared, and the times that are written in the Lease are for people alone.
"""

from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.times import format_micro_time


@dataclass(frozen=True)
class Timing:
    """Seconds that all replicas of one operator should agree on; ValueError if they cannot work."""

    lease: int = 15
    """A Lease that has not changed for so long is free."""
    renew: float = 10.0
    """The holder begins no write so long after its last renewal, and ends."""
    retry: float = 2.0
    """Between two tries, to take it as to renew it."""

    def __post_init__(self) -> None:
        """Two tries have to fit into the time to renew, and requests under way after it."""
        if not 0 < 2 * self.retry < self.renew < self.lease:
            raise ValueError(
                "the lease has to last longer than the time to renew it, and that longer than "
                "twice the time between two tries"
            )

    @property
    def last_write_ends(self) -> float:
        """When the last write ends that a holder began: half of what is left is for slow clocks."""
        return (self.renew + self.lease) / 2


@dataclass(frozen=True)
class ObservedLease:
    """The Lease as it is, and since when on the own clock it has been seen to be so."""

    lease: Object
    since: float

    @property
    def version(self) -> str:
        """What the API server changes with every write."""
        return str(self.lease["metadata"]["resourceVersion"])

    @property
    def holder(self) -> str:
        """The identity that holds it; empty when it was released."""
        return str(self.lease.get("spec", {}).get("holderIdentity") or "")

    @property
    def expires_at(self) -> float:
        """When it runs out on the own clock, unless it is seen to change before."""
        return self.since + float(self.lease.get("spec", {}).get("leaseDurationSeconds") or 0)


def observed_lease(before: ObservedLease | None, lease: Object, now: float) -> ObservedLease:
    """What is known after an answer showed the Lease; `now` is read after the answer came."""
    current = ObservedLease(lease, now)
    return before if before is not None and before.version == current.version else current


def free_at(seen: ObservedLease | None, identity: str) -> float:
    """From when on this identity may take the Lease; no Lease, or a released one, is free.

    One that went away, as by `kubectl delete`, still binds whoever saw its holder.
    """
    if seen is None or seen.holder in {"", identity}:
        return float("-inf")
    return seen.expires_at


def may_last(timing: Timing, renewed: float | None, now: float) -> float:
    """Seconds that a write begun now may take; 0: none may begin.

    `renewed` is the time before the last renewal was sent that succeeded; None: there was none.
    """
    if renewed is None or not renewed <= now < renewed + timing.renew:
        return 0.0
    return renewed + timing.last_write_ends - now


def holder_spec(
    seen: ObservedLease | None, identity: str, timing: Timing, wall: datetime
) -> Object:
    """The Lease's spec for this holder; what others put into it is kept."""
    before = seen.lease.get("spec", {}) if seen is not None else {}
    renews = bool(seen is not None and seen.holder == identity)
    now = format_micro_time(wall)
    return {
        **before,
        "holderIdentity": identity,
        "leaseDurationSeconds": timing.lease,
        "acquireTime": before.get("acquireTime", now) if renews else now,
        "renewTime": now,
        "leaseTransitions": before.get("leaseTransitions", 0) + (seen is not None and not renews),
    }


def released_spec(seen: ObservedLease, wall: datetime) -> Object:
    """The Lease's spec without a holder, as client-go leaves it."""
    now = format_micro_time(wall)
    return {
        **seen.lease.get("spec", {}),
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "renewTime": now,
    }
