"""The two slots and the traffic, read from the children.

The Service says which slot has the traffic. When somebody deleted it, `status.serving` says which
revision had it, and the slot that holds that revision has it again. What people wrote over our
annotations is no reason to fall over: what the slot holds is what answers.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pennant_operator.decide.seen.observed import Object, Observed
from pennant_operator.decide.seen.pod_facts import ENDED_WITHOUT_MESSAGE, PodFacts
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_REVISION,
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    ANNOTATION_WARM_REVISION,
    LABEL_REVISION,
    LABEL_SLOT,
    SLOTS,
)

MAX_CLOCK_SKEW = timedelta(minutes=1)  # between the clocks of two replicas, at most
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Slot:
    """One of the two Deployments and its pods."""

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
        return self.size == 0 and gone and self._heard() and not self._counted("replicas")

    @property
    def running(self) -> tuple[PodFacts, ...]:
        """Pods of the slot's revision that are not on their way out."""
        return tuple(p for p in self._staying if p.revision == self.revision)

    @property
    def ready(self) -> int:
        """Pods that answer; by the Deployment's own count where pods were not listed."""
        if self.pods is None:
            return self._counted("readyReplicas")
        return sum(p.ready for p in self._staying)

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
        failure = self._refused
        if failure is None:
            return None
        return str(failure.get("message") or failure.get("reason") or "ReplicaFailure")

    @property
    def shortage_since(self) -> datetime | None:
        """Since when it says so."""
        since = (self._refused or {}).get("lastTransitionTime")
        return parse_time(since) if since else None

    def lacks_pods(self, replicas: int) -> bool:
        """Whether it has fewer than these, or may not have what it asks for."""
        return self.shortage is not None or len(self.running) < replicas

    @property
    def resource_version(self) -> str | None:
        """What a write that changes the template or goes to zero is decided on."""
        return self.deployment["metadata"]["resourceVersion"] if self.deployment else None

    @property
    def _refused(self) -> dict[str, Any] | None:
        conditions = (self.deployment or {}).get("status", {}).get("conditions", ())
        failed = (c for c in conditions if c["type"] == "ReplicaFailure" and c["status"] == "True")
        return next(failed, None)

    @property
    def _staying(self) -> tuple[PodFacts, ...]:
        return tuple(p for p in self.pods or () if not p.terminating and p.evicted is None)

    def _counted(self, field: str) -> int:
        return int((self.deployment or {}).get("status", {}).get(field) or 0)

    def _heard(self) -> bool:
        """Before the Deployment controller saw the last size, pods may still be on their way."""
        generation = (self.deployment or {"metadata": {}})["metadata"].get("generation", 0)
        return self._counted("observedGeneration") >= int(generation)


@dataclass(frozen=True)
class Traffic:
    """Which slot and revision the Service points at, since when, and what stays warm beside it."""

    slot: str
    revision: str
    since: datetime
    warm: str | None = None  # the revision that had the traffic before

    def bakes_until(self, bake: timedelta) -> datetime:
        """The end of the time in which going back takes no start."""
        return self.since + bake

    def annotations(self, since: str) -> dict[str, str]:
        """As they stand on the Service."""
        return {
            ANNOTATION_ACTIVE_SLOT: self.slot,
            ANNOTATION_ACTIVE_REVISION: self.revision,
            ANNOTATION_ACTIVE_SINCE: since,
            ANNOTATION_WARM_REVISION: self.warm or "",
        }


@dataclass(frozen=True)
class World:
    """Both slots, the traffic, and the spec they are held against."""

    spec: Spec
    slots: dict[str, Slot]
    service: Object | None
    traffic: Traffic | None

    @property
    def active(self) -> Slot | None:
        """The slot that has the traffic."""
        return self.slots[self.traffic.slot] if self.traffic else None

    @property
    def idle(self) -> Slot:
        """The slot without traffic; before anything served, the one that is in use, else blue."""
        if self.traffic:
            return next(s for s in self.slots.values() if s.name != self.traffic.slot)
        used = [s for s in self.slots.values() if not s.empty]
        return used[0] if used else self.slots[SLOTS[0]]

    def baking(self, now: datetime) -> bool:
        """The bake runs while a warm revision waits beside the active one."""
        return (
            self.traffic is not None
            and self.spec.replicas > 0
            and self.traffic.warm is not None
            and self.traffic.warm == self.idle.revision
            and now < self.traffic.bakes_until(self.spec.bake)
        )


def slots_of(observed: Observed, name: str, now: datetime) -> dict[str, Slot]:
    """Both slots of the ModelDeployment of this name."""
    pods = {
        slot: tuple(pod for pod in listed if not pod.lost(now))
        for slot, listed in observed.pods.items()
    }
    children = observed.children
    return {s: Slot(s, children.get(f"Deployment/{name}-{s}"), pods.get(s)) for s in SLOTS}


def world_of(observed: Observed, spec: Spec, now: datetime) -> World:
    """The world as the children show it."""
    slots = slots_of(observed, spec.name, now)
    service = observed.children.get(f"Service/{spec.name}")
    serving = (observed.owner.get("status") or {}).get("serving") or {}
    traffic = (
        _traffic_of_service(service, slots, observed.records, serving, now)
        if service
        else _traffic_of_status(serving, slots)
    )
    return World(spec, slots, service, traffic)


def _traffic_of_service(
    service: Object,
    slots: dict[str, Slot],
    records: Container[str],
    serving: dict[str, Any],
    now: datetime,
) -> Traffic | None:
    annotations = service["metadata"].get("annotations") or {}
    slot = selected_slot(service, slots)
    if slot is None:
        return None
    annotated = annotations.get(ANNOTATION_ACTIVE_REVISION)
    named = [r for r in (slots[slot].revision, annotated, serving.get("revision")) if r]
    revision = next((r for r in named if r in records), named[0] if named else None)
    if not revision:
        return None
    other = next(s for s in slots.values() if s.name != slot)
    if annotated and annotated != revision and annotated == other.revision and other.ready:
        # Somebody moved the traffic by hand: what had it stays warm as after any other move.
        return Traffic(slot, revision, now.replace(microsecond=0), annotated)
    since = _first_time(annotations.get(ANNOTATION_ACTIVE_SINCE), serving.get("since"))
    if since > now + MAX_CLOCK_SKEW:  # no clock wrote that
        since = now.replace(microsecond=0)
    return Traffic(slot, revision, since, annotations.get(ANNOTATION_WARM_REVISION) or None)


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


def _traffic_of_status(serving: dict[str, Any], slots: dict[str, Slot]) -> Traffic | None:
    holder = next((s.name for s in slots.values() if s.revision == serving.get("revision")), None)
    if not serving or holder is None:
        return None
    return Traffic(holder, serving["revision"], _first_time(serving.get("since")))


def _first_time(*times: str | None) -> datetime:
    """The first that is a time; else one so long ago that no bake is left of it."""
    for text in times:
        try:
            return parse_time(text or "")
        except ValueError:
            continue
    return _LONG_AGO
