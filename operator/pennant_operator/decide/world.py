"""The two slots and the traffic, read from the children.

The Service says which slot has the traffic. When somebody deleted it, `status.serving` says which
revision had it, and the slot that holds that revision has it again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.observed import Object, Observed
from pennant_operator.decide.pods import PodFacts
from pennant_operator.decide.spec import Spec
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_REVISION,
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    ANNOTATION_WARM_REVISION,
    LABEL_REVISION,
    NO_SLOT,
    SLOTS,
)


@dataclass(frozen=True)
class Slot:
    """One of the two Deployments and its pods."""

    name: str
    deployment: Object | None
    pods: tuple[PodFacts, ...]

    @property
    def revision(self) -> str | None:
        """The revision whose template the slot holds, with or without pods."""
        if self.deployment is None:
            return None
        return str(self.deployment["metadata"].get("labels", {}).get(LABEL_REVISION))

    @property
    def size(self) -> int:
        """How many pods it was told to have."""
        return int(self.deployment["spec"].get("replicas", 0)) if self.deployment else 0

    @property
    def empty(self) -> bool:
        """Told to have no pods, and has none, terminating ones included."""
        return self.size == 0 and not self.pods and not self._counted("replicas")

    @property
    def running(self) -> tuple[PodFacts, ...]:
        """Pods of the slot's revision that are not on their way out."""
        return tuple(p for p in self.pods if p.revision == self.revision and not p.terminating)

    @property
    def ready(self) -> int:
        """Ready pods; by the Deployment's own count where pods were not listed."""
        return sum(p.ready for p in self.running) if self.pods else self._counted("readyReplicas")

    @property
    def resource_version(self) -> str | None:
        """What a write that changes the template or goes to zero is decided on."""
        return self.deployment["metadata"]["resourceVersion"] if self.deployment else None

    def _counted(self, field: str) -> int:
        return int((self.deployment or {}).get("status", {}).get(field) or 0)


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
            and self.traffic.warm is not None
            and now < self.traffic.bakes_until(self.spec.bake)
        )


def see(observed: Observed, spec: Spec) -> World:
    """The world as the children show it."""
    slots = {
        name: Slot(
            name,
            observed.children.get(f"Deployment/{spec.name}-{name}"),
            observed.pods.get(name, ()),
        )
        for name in SLOTS
    }
    service = observed.children.get(f"Service/{spec.name}")
    status = observed.owner.get("status", {})
    traffic = _of_service(service) if service else _of_status(status, slots)
    return World(spec, slots, service, traffic)


def _of_service(service: Object) -> Traffic | None:
    said = service["metadata"].get("annotations", {})
    if said.get(ANNOTATION_ACTIVE_SLOT, NO_SLOT) not in SLOTS:
        return None
    return Traffic(
        slot=said[ANNOTATION_ACTIVE_SLOT],
        revision=said[ANNOTATION_ACTIVE_REVISION],
        since=parse_time(said[ANNOTATION_ACTIVE_SINCE]),
        warm=said.get(ANNOTATION_WARM_REVISION) or None,
    )


def _of_status(status: dict[str, Any], slots: dict[str, Slot]) -> Traffic | None:
    serving = status.get("serving", {})
    holder = next((s.name for s in slots.values() if s.revision == serving.get("revision")), None)
    if not serving or holder is None:
        return None
    return Traffic(holder, serving["revision"], parse_time(serving["since"]))
