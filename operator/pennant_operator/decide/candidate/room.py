"""Who has the room where there is not enough of it for both slots: what serves, while it serves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.candidate.faults import QUOTA_USED_UP, lacks_a_volume
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import Condition, Reason

GIVES_WAY_AFTER = timedelta(minutes=1)  # without an answer: it serves nobody by then (law 3)


def needed_by_what_serves(world: World) -> tuple[Reason, str] | None:
    """Why the candidate's room is taken back for what serves; None where it is not.

    A quota is shared by both for certain. Pods that no node takes may be choosy about nodes: these
    come first only where the candidate lacks one, too.
    """
    active, idle = world.active, world.idle
    if active is None or not active.ready:
        return None
    if quota := lacks_quota(world):
        return Reason.QUOTA_EXCEEDED, quota
    waits = _unplaced(active) if _lacks_room(idle) else None
    return (Reason.UNSCHEDULABLE, waits) if waits else None


def lacks_quota(world: World) -> str | None:
    """What the API server says where what has the traffic lacks pods because others use it up."""
    active = world.active
    if active is None or len(active.running) >= world.spec.replicas:
        return None
    return _beyond_quota(active)


def _lacks_room(slot: Slot) -> str | None:
    return _beyond_quota(slot) or _unplaced(slot)


def _beyond_quota(slot: Slot) -> str | None:
    """What others use up; where a policy refuses pods, nobody's leaving makes room for any."""
    return slot.shortage if slot.shortage and QUOTA_USED_UP in slot.shortage else None


def _unplaced(slot: Slot) -> str | None:
    """A pod that lacks a volume needs nobody's room."""
    waits = (pod.unschedulable for pod in slot.running if pod.unschedulable)
    return next((why for why in waits if not lacks_a_volume(why)), None)


@dataclass(frozen=True)
class LackOfRoom:
    """That a slot may not have its pods, or no node takes them, and since when."""

    reason: Reason
    since: datetime
    message: str


def lack_of_room(slot: Slot, now: datetime) -> LackOfRoom | None:
    """By the API server's word on the quota, or the scheduler's on a pod."""
    if quota := _beyond_quota(slot):
        return LackOfRoom(Reason.QUOTA_EXCEEDED, slot.shortage_since or now, quota)
    if (unplaced := _unplaced(slot)) is None:
        return None
    since = min(pod.created for pod in slot.running if pod.unschedulable == unplaced)
    return LackOfRoom(Reason.UNSCHEDULABLE, since, unplaced)


def gives_way(world: World, memory: Memory, target: str, now: datetime) -> bool:
    """Whether what has the traffic leaves its room to the candidate in the other slot.

    It answered nothing for a minute, each of its pods had as long, and the candidate is short of
    room; having given way once, it stays away while a candidate is on its way.
    """
    traffic, active, idle = world.traffic, world.active, world.idle
    if traffic is None or active is None or target == traffic.revision or not memory.candidate:
        return False
    if not answers_nothing(world, memory, now):
        return False
    return active.size == 0 or (idle.revision == target and _lacks_room(idle) is not None)


def answers_nothing(world: World, memory: Memory, now: datetime) -> bool:
    """Whether what has the traffic answered nothing for a minute, and each pod had as long."""
    active, ready = world.active, memory.condition(Condition.READY)
    if active is None or active.ready or ready.get("reason") != Reason.NO_POD_READY:
        return False
    began = (
        parse_time(ready["lastTransitionTime"]),
        *(pod.created for pod in active.running),
        *([active.shortage_since] if active.shortage_since else []),
    )
    return now - max(began) >= GIVES_WAY_AFTER


def pods_in_the_way(step: Step, candidate: dict[str, Any]) -> str:
    """Another revision's pods leave before the candidate's slot takes it."""
    idle = step.world.idle
    if candidate.get("revision") in {None, idle.revision} or idle.empty:
        return ""
    pods = [pod for pod in idle.pods or () if pod.evicted is None]
    left = [f"{pod.name} on {pod.node}" if pod.node else pod.name for pod in pods]
    whose = f"version {step.version_of(idle.revision)} has" if idle.revision else "it has"
    return f"{whose} pods there that end first{': ' * bool(left)}{', '.join(left[:3])}"
