"""Recreate: what serves ends before its successor comes, where there is room for one only.

The lobby comes up first; the Service leads to it; what serves is emptied; the candidate takes the
room; when it passed, the Service leads to it, and the lobby leaves. Whatever ends this on the way,
what served comes back from its recorded manifest, once the candidate's pods are gone.
"""

from dataclasses import replace

from pennant_operator.decide.candidate.recreating import holds_requests
from pennant_operator.decide.moves import Moves, NextSlot
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.traffic import Route, Traffic
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.blue_green import blue_green
from pennant_operator.decide.verdict import Passed


def recreate(step: Step, *, parked: bool) -> Moves:
    """The moves towards the goal; before anything served, and where both are up, as BlueGreen."""
    world, target, traffic = step.world, step.goal.target, step.world.traffic
    active = world.active
    if step.goal.released or traffic is None or active is None:
        return blue_green(step, parked=parked)
    both_up = traffic.route is Route.SLOT and active.size > 0
    if target is None or parked or target == traffic.revision:
        held_up = traffic.route is Route.LOBBY
        return _back(step, traffic, active) if held_up else blue_green(step, parked=parked)
    if not isinstance(step.verdict, Passed):
        return _towards(step, target, traffic, active)
    if both_up:  # it was begun so, before the spec asked for another strategy
        return blue_green(step, parked=parked)
    slots = _both(step, 0, NextSlot(target, world.spec.replicas))
    moved = Traffic(world.idle.name, target, step.now.replace(microsecond=0))
    return Moves(slots, moved, lobby=True)


def _towards(step: Step, target: str, traffic: Traffic, active: Slot) -> Moves:
    """One step further: lobby, Service, what serves, candidate, each once the one before is so."""
    world, idle, lobby = step.world, step.world.idle, step.world.lobby
    full, held_up = world.spec.replicas, traffic.route is Route.LOBBY
    under_way = idle.revision == target and idle.size > 0
    # Pods that a person has just taken answer yet: they come back, and leave when somebody waits.
    away = active.size == 0 and (held_up or under_way or not active.ready)
    free = idle.empty or under_way
    leaves = away or (held_up and free and holds_requests(lobby))
    comes = leaves and (under_way or (idle.empty and active.empty))
    slots = _both(step, 0 if leaves else full, NextSlot(target, full) if comes else None)
    # A lobby that is lost holds nothing: while what serves is there, it answers by itself.
    stays = held_up and (lobby.ready > 0 or not active.ready)
    begins = holds_requests(lobby) and (away or idle.empty)
    route = Route.LOBBY if stays or begins else Route.SLOT
    return Moves(slots, replace(traffic, route=route), lobby=True)


def _back(step: Step, traffic: Traffic, active: Slot) -> Moves:
    """The candidate's pods end, then what served comes back; then the lobby is not needed."""
    world, full = step.world, step.world.spec.replicas
    slots = _both(step, full if active.size or world.idle.empty else 0, None)
    needed = full > 0 and not active.ready and world.lobby.ready > 0
    return Moves(slots, traffic if needed else replace(traffic, route=Route.SLOT), lobby=True)


def _both(step: Step, active_size: int, idle_next: NextSlot | None) -> dict[str, NextSlot]:
    """What both slots should hold; the idle one is emptied, where nothing is to come up there."""
    idle, traffic = step.world.idle, step.world.traffic
    slots = {traffic.slot: NextSlot(traffic.revision, active_size)} if traffic else {}
    if idle_next is not None or idle.deployment is not None:
        slots[idle.name] = idle_next or NextSlot(idle.revision or "", 0)
    return slots
