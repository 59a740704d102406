"""Who held the operator's Lease when, and what was written outside of it: the cluster's audit log.

Both are as the API server saw them, on its one clock. Pods are told apart by the names that come
with their tokens; the first part of a holder's identity is its pod's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pennant_testing.control_plane.audit_log import entries

POD = "authentication.kubernetes.io/pod-name"
NOBODY = ""


@dataclass(frozen=True)
class AuditedRequest:
    """A request to write that was let through or refused; `holder` is whom a Lease's body names."""

    pod: str
    what: str
    began: datetime
    ended: datetime
    code: int
    holder: str | None = None

    def __str__(self) -> str:
        return f"{self.began.time()} to {self.ended.time()}: {self.pod} {self.what} ({self.code})"


@dataclass(frozen=True)
class Tenure:
    """From the request that took the Lease to the request that took it away."""

    identity: str
    began: datetime

    @property
    def pod(self) -> str:
        return self.identity.rpartition("_")[0]


def requests(log: Path, since: int = 0) -> list[AuditedRequest]:
    """The writes in the log from a byte on, first come first."""
    return sorted(map(_request, entries(log, since)), key=lambda each: each.began)


def tenures(requests: list[AuditedRequest]) -> list[Tenure]:
    """Each as it began; one of nobody's where the Lease was given back."""
    tenures_so_far: list[Tenure] = []
    for each in requests:
        if each.holder is None or each.code >= 300:
            continue
        if not tenures_so_far or tenures_so_far[-1].identity != each.holder:
            tenures_so_far.append(Tenure(each.holder, each.began))
    return tenures_so_far


def strays(requests: list[AuditedRequest]) -> Iterator[AuditedRequest]:
    """Writes that were under way while their pod did not hold the Lease: two could have written."""
    turns = tenures(requests)
    for each in requests:
        if each.holder is not None or not turns or each.began < turns[0].began:
            continue
        last = [turn for turn in turns if turn.began <= each.ended][-1]
        first = [turn for turn in turns if turn.began <= each.began][-1]
        if first is not last or first.pod != each.pod:
            yield each


def _request(entry: dict[str, Any]) -> AuditedRequest:
    of = entry.get("objectRef", {})
    spec = entry.get("requestObject", {}).get("spec", {})
    is_lease = of.get("resource") == "leases"
    extra = entry["user"].get("extra", {})
    parts = (of.get("resource"), of.get("namespace"), of.get("name"), of.get("subresource"))
    return AuditedRequest(
        pod=extra.get(POD, [entry["user"]["username"]])[0],
        what=f"{entry['verb']} {'/'.join(filter(None, parts))}",
        began=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        ended=datetime.fromisoformat(entry["stageTimestamp"]),
        code=entry.get("responseStatus", {}).get("code", 0),
        holder=(spec.get("holderIdentity") or NOBODY) if is_lease else None,
    )
