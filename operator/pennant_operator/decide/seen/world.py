"""The two slots and the traffic, read from the children."""

from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.seen.observed import Object, Observed
from pennant_operator.decide.seen.slot import NO_LOBBY, Slot, lobby_of, slots_of
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.traffic import Route, Traffic, traffic_of
from pennant_operator.decide.vocabulary import SLOTS


@dataclass(frozen=True)
class World:
    """Both slots, the traffic, and the spec they are held against."""

    spec: Spec
    slots: dict[str, Slot]
    service: Object | None
    traffic: Traffic | None
    lobby: Slot = NO_LOBBY  # the Deployment that holds requests, where there is one

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

    @property
    def on_both(self) -> bool:
        """Whether the pods of both slots have traffic."""
        return self.traffic is not None and self.traffic.route is Route.BOTH

    @property
    def with_traffic(self) -> tuple[Slot, ...]:
        """The slots whose pods have traffic."""
        if self.active is None:
            return ()
        return (self.active, self.idle) if self.on_both else (self.active,)

    @property
    def asked(self) -> int:
        """How many pods of the idle slot are judged: those that it was told to have, or all.

        Where nothing serves there is nothing to take over from in parts.
        """
        full, in_parts = self.spec.replicas, self.spec.strategy.grows_in_parts or self.on_both
        grows = in_parts and self.traffic is not None and self.idle.size > 0
        return min(self.idle.size, full) if grows else full

    def baking(self, now: datetime) -> bool:
        """The bake runs while a warm revision waits beside the active one."""
        return (
            self.traffic is not None
            and self.spec.replicas > 0
            and self.traffic.warm is not None
            and self.traffic.warm == self.idle.revision
            and now < self.traffic.bakes_until(self.spec.bake)
        )


def world_of(observed: Observed, spec: Spec, now: datetime) -> World:
    """The world as the children show it."""
    slots = slots_of(observed, spec.name, now)
    service = observed.children.get(f"Service/{spec.name}")
    status = observed.owner.get("status") or {}
    traffic = traffic_of(service, slots, observed.records, status, now)
    return World(spec, slots, service, traffic, lobby_of(observed, spec.name))
