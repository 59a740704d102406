"""The two slots: each is one Deployment and its pods, read as they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.observed import Object, Observed
from pennant_operator.decide.seen.pod_facts import ENDED_WITHOUT_MESSAGE, PodFacts
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_SLOT,
    LABEL_REVISION,
    LABEL_SLOT,
    SLOTS,
)


@dataclass(frozen=True)
class Slot:
    """One of the two Deployments and its pods; the lobby's is read likewise."""

    name: str
    deployment: Object | None
    pods: tuple[PodFacts, ...] | None  # None: they were not listed

    @property
    def revision(self) -> str | None:
        """The revision whose template the slot holds, with or without pods."""
        template = (self.deployment or {}).get("spec", {}).get("template", {})
        revision: str | None = template.get("metadata", {}).get("labels", {}).get(LABEL_REVISION)
        return revision

    @property
    def size(self) -> int:
        """How many pods it was told to have."""
        return int(self.deployment["spec"].get("replicas", 0)) if self.deployment else 0

    @property
    def empty(self) -> bool:
        """Told to have no pods, heard it, and has none, terminating ones included.

        An evicted pod is an entry in a list: no process is left of it.
        """
        gone = not any(p.evicted is None for p in self.pods or ())
        return (
            self.size == 0 and gone and self._size_observed() and not self._status_count("replicas")
        )

    @property
    def running(self) -> tuple[PodFacts, ...]:
        """Pods of the slot's revision that are not on their way out."""
        return tuple(p for p in self._staying_pods if p.revision == self.revision)

    @property
    def ready(self) -> int:
        """Pods that answer; by the Deployment's own count where pods were not listed."""
        if self.pods is None:
            return self._status_count("readyReplicas")
        return sum(p.ready for p in self._staying_pods)

    @property
    def evicted(self) -> str | None:
        """Why a node ended the newest of the pods that were evicted, of those that it says it of.

        The kubelet's words are lost where a process ends well before they are written.
        """
        ended = [
            (not p.evicted.endswith(ENDED_WITHOUT_MESSAGE), p.created, p.evicted)
            for p in self.pods or ()
            if p.evicted and p.revision == self.revision
        ]
        return max(ended)[2] if ended else None

    @property
    def shortage(self) -> str | None:
        """What the Deployment says when it may not create pods, such as an exhausted quota."""
        failure = self._replica_failure
        if failure is None:
            return None
        return str(failure.get("message") or failure.get("reason") or "ReplicaFailure")

    @property
    def shortage_since(self) -> datetime | None:
        """Since when it says so."""
        since = (self._replica_failure or {}).get("lastTransitionTime")
        return parse_time(since) if since else None

    def lacks_pods(self, replicas: int) -> bool:
        """Whether it has fewer than these, or may not have what it asks for."""
        return self.shortage is not None or len(self.running) < replicas

    @property
    def resource_version(self) -> str | None:
        """What a write that changes the template or goes to zero is decided on."""
        return self.deployment["metadata"]["resourceVersion"] if self.deployment else None

    @property
    def _replica_failure(self) -> dict[str, Any] | None:
        conditions = (self.deployment or {}).get("status", {}).get("conditions", ())
        failed = (c for c in conditions if c["type"] == "ReplicaFailure" and c["status"] == "True")
        return next(failed, None)

    @property
    def _staying_pods(self) -> tuple[PodFacts, ...]:
        return tuple(p for p in self.pods or () if not p.terminating and p.evicted is None)

    def _status_count(self, field: str) -> int:
        return int((self.deployment or {}).get("status", {}).get(field) or 0)

    def _size_observed(self) -> bool:
        """Before the Deployment controller saw the last size, pods may still be on their way."""
        generation = (self.deployment or {"metadata": {}})["metadata"].get("generation", 0)
        return self._status_count("observedGeneration") >= int(generation)


def slots_of(observed: Observed, name: str, now: datetime) -> dict[str, Slot]:
    """Both slots of the ModelDeployment of this name."""
    pods = {
        slot: tuple(pod for pod in listed if not pod.lost(now))
        for slot, listed in observed.pods.items()
    }
    children = observed.children
    return {s: Slot(s, children.get(f"Deployment/{name}-{s}"), pods.get(s)) for s in SLOTS}


NO_LOBBY = Slot("lobby", None, None)


def lobby_of(observed: Observed, name: str) -> Slot:
    """The Deployment that holds requests while nothing can answer them."""
    return Slot("lobby", observed.children.get(f"Deployment/{name}-lobby"), None)


def selected_slot(service: Object, slots: dict[str, Slot]) -> str | None:
    """The slot that the selector leads to: what answers is the truth, whatever is written beside.

    A selector that somebody edited leads to no ready pod; then the slot that is written beside it
    counts, if that has some, or is alone in being told to have any.
    """
    selected = (service["spec"].get("selector") or {}).get(LABEL_SLOT)
    annotated = (service["metadata"].get("annotations") or {}).get(ANNOTATION_ACTIVE_SLOT)
    named = [slot for slot in (selected, annotated) if slot in SLOTS]
    chosen: str | None = max(
        named, key=lambda slot: (slots[slot].ready > 0, slots[slot].size > 0), default=None
    )
    return chosen
