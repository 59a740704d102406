"""How a revision takes over: what each slot should hold, and where the traffic goes.

BlueGreen: a new revision comes up in the empty slot at full size; when it passed, the Service's
selector moves at once; the old slot stays warm through the bake and is then emptied. A slot's
template changes only while it has no traffic and no pods.
"""

from datetime import datetime

from pennant_operator.decide.candidate.room import gives_way, lacks_quota
from pennant_operator.decide.goal.goal import Goal
from pennant_operator.decide.moves import Moves, NextSlot
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.step import Step
from pennant_operator.decide.verdict import Passed


def blue_green(step: Step, *, parked: bool) -> Moves:
    """The moves towards the goal; the verdict is on the idle slot where it holds the target."""
    world, goal, now = step.world, step.goal, step.now
    if goal.released:
        return _moves_without_alias(world)
    idle, traffic, target = world.idle, world.traffic, goal.target
    slots: dict[str, NextSlot] = {}
    if traffic is not None:
        away = target is not None and not parked and gives_way(world, step.memory, target, now)
        slots[traffic.slot] = NextSlot(traffic.revision, 0 if away else world.spec.replicas)
    if target is None or (traffic and target == traffic.revision):
        idle_slot = _idle_at_rest(world, goal, now)
    elif idle.revision == target:
        idle_slot = NextSlot(target, 0 if parked else world.spec.replicas)
        if isinstance(step.verdict, Passed):
            traffic = _traffic_to_target(world, goal, target, now)
    else:
        idle_slot = _idle_for_target(world, target, parked=parked)
    if idle_slot is not None:
        slots[idle.name] = idle_slot
    return Moves(slots, traffic)


def _moves_without_alias(world: World) -> Moves:
    """The traffic goes first; the pods of both slots leave once no Service leads to them."""
    slots = {
        name: NextSlot(slot.revision, slot.size if world.traffic else 0)
        for name, slot in world.slots.items()
        if slot.revision is not None
    }
    return Moves(slots, traffic=None)


def _idle_at_rest(world: World, goal: Goal, now: datetime) -> NextSlot | None:
    """Nothing to bring up: the idle slot stays warm through the bake, or is emptied."""
    idle = world.idle
    if idle.revision is None:  # nobody knows what it holds
        return NextSlot("", 0) if idle.size else None
    was_active = world.traffic is not None and idle.revision == world.traffic.warm
    if was_active and world.baking(now):
        return NextSlot(idle.revision, _warm_size(world))
    rejected = goal.rejection is not None and goal.rejection["revision"] == idle.revision
    if goal.frozen and not was_active and not rejected and world.spec.replicas:
        return NextSlot(idle.revision, idle.size)
    return NextSlot(idle.revision, 0)


def _warm_size(world: World) -> int:
    """Full; but the room is first for what has the traffic: to go back, one pod is enough."""
    full, size, active = world.spec.replicas, world.idle.size, world.active
    if lacks_quota(world):
        return min(size, 1)
    grown = active is not None and active.ready >= full
    return full if grown else min(size, full)


def _idle_for_target(world: World, target: str, *, parked: bool) -> NextSlot | None:
    """Another revision's pods leave first, then the slot takes the target."""
    idle = world.idle
    if idle.empty and not parked:
        return NextSlot(target, world.spec.replicas)
    return NextSlot(idle.revision or "", 0) if idle.deployment else None


def _traffic_to_target(world: World, goal: Goal, target: str, now: datetime) -> Traffic:
    """What had the traffic stays warm, unless it is what we run away from, or gave way."""
    stays = world.traffic is not None and world.active is not None and world.active.size > 0
    warm = world.traffic.revision if world.traffic and stays and not goal.back else None
    return Traffic(world.idle.name, target, now.replace(microsecond=0), warm)
