"""Rolling: pods are exchanged a few at a time, and both versions answer meanwhile.

The candidate's first pods come up without traffic; when they passed, the Service leads to both
slots. Then one slot grows and the other shrinks in steps, and going back is the same with the two
exchanged. No more pods are asked for than `spec.replicas` and the surge, and none that answers is
taken down before so many do that no more than `maxUnavailable` are away.
"""

from dataclasses import dataclass, replace

from pennant_operator.decide.candidate.room import gives_way
from pennant_operator.decide.moves import Moves, NextSlot
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.strategy import RolloutStrategy, pods_of
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.blue_green import blue_green
from pennant_operator.decide.verdict import Passed


@dataclass(frozen=True)
class Bounds:
    """Between how many pods a rolling exchange stays."""

    replicas: int
    most: int  # that are asked for, in both slots together
    least: int  # that answer

    def exchanged(self, grows: Slot, shrinks: Slot) -> tuple[int, int]:
        """The next sizes of both, one step on."""
        room = self.most - shrinks.size
        # Where spec.replicas fell and both have more than they may, what answers stays.
        grown = min(self.replicas, max(room, min(grows.size, grows.ready)))
        return grown, min(shrinks.size, max(self.least - grows.ready, 0))

    def balanced(self, stays: Slot, other: Slot) -> tuple[int, int]:
        """Sizes while nothing may be decided: as they are, and the first follows spec.replicas."""
        beside = min(other.size, self.replicas)
        return min(max(stays.size, self.replicas - beside), self.most - beside), beside


def bounds_of(strategy: RolloutStrategy, replicas: int) -> Bounds:
    """By `spec.rollout.rolling`; where both come to no pod at all, one may be away."""
    surge = pods_of(strategy.max_surge, replicas, up=True)
    away = min(pods_of(strategy.max_unavailable, replicas, up=False), replicas)
    if not surge and not away:
        away = min(1, replicas)
    return Bounds(replicas, replicas + surge, replicas - away)


def rolling(step: Step, *, parked: bool) -> Moves:
    """The moves towards the goal; what ends is written first: there is room for so many only."""
    moves, slots = _moves(step, parked=parked), step.world.slots
    ordered = sorted(moves.slots, key=lambda name: moves.slots[name].size > slots[name].size)
    return replace(moves, slots={name: moves.slots[name] for name in ordered})


def _moves(step: Step, *, parked: bool) -> Moves:
    """What is not exchanged, and what is warm still, is BlueGreen's."""
    traffic = step.world.traffic
    if traffic is None or step.goal.released:
        return blue_green(step, parked=parked)
    if step.world.on_both:
        return _moves_of_both(step, traffic, parked=parked)
    if _waits(step) and traffic.warm != step.world.idle.revision:
        return _no_moves(step, traffic)
    if parked or not _comes_up(step, traffic):
        return blue_green(step, parked=parked)
    return _first_moves(step, traffic, str(step.goal.target))


def _comes_up(step: Step, traffic: Traffic) -> bool:
    """Whether the other slot takes, or has, a target that gets the traffic in steps."""
    world, target = step.world, step.goal.target
    if target is None or target == traffic.revision:
        return False
    if traffic.warm == target and world.baking(step.now):
        return False  # it has all its pods, and takes the traffic back at once
    return world.idle.revision == target or world.idle.empty


def _first_moves(step: Step, traffic: Traffic, target: str) -> Moves:
    """What serves makes room where there is no surge; then the first pods come, and pass."""
    world = step.world
    active, idle = world.slots[traffic.slot], world.idle
    bounds = bounds_of(world.spec.strategy, world.spec.replicas)
    stays = bounds.replicas if bounds.most > bounds.replicas else bounds.least
    if gives_way(world, step.memory, target, step.now):
        stays = 0
    slots = {traffic.slot: NextSlot(traffic.revision, stays)}
    if isinstance(step.verdict, Passed):
        # No pod more until what was fetched is pinned, as it is before there is traffic.
        slots[idle.name] = NextSlot(target, min(idle.size, bounds.replicas))
        return Moves(slots, traffic.on_both(target))
    size = min(bounds.replicas, bounds.most - max(active.size, stays))
    if size > 0:
        slots[idle.name] = NextSlot(target, size)
    elif idle.deployment is not None:
        slots[idle.name] = NextSlot(idle.revision or "", 0)
    return Moves(slots, traffic)


def _no_moves(step: Step, traffic: Traffic) -> Moves:
    """What serves follows spec.replicas where there is room beside the candidate's first pods."""
    world, moves = step.world, blue_green(step, parked=False)
    bounds, size = bounds_of(world.spec.strategy, world.spec.replicas), world.idle.size
    stays = min(bounds.replicas, max(world.slots[traffic.slot].size, bounds.most - size))
    return replace(moves, slots={**moves.slots, traffic.slot: NextSlot(traffic.revision, stays)})


def _moves_of_both(step: Step, traffic: Traffic, *, parked: bool) -> Moves:
    """One step on, one step back, or none; at the end one slot has all the traffic."""
    world, target = step.world, step.goal.target
    active, idle = world.slots[traffic.slot], world.idle
    bounds, after = bounds_of(world.spec.strategy, world.spec.replicas), traffic
    if target is not None and target == idle.revision and not parked:
        coming, left = bounds.exchanged(idle, active)
        if gives_way(world, step.memory, target, step.now):
            left = 0
        full = active.size == 0 and idle.size >= bounds.replicas
        if full and isinstance(step.verdict, Passed):
            after = Traffic(idle.name, target, step.now.replace(microsecond=0))
    elif _waits(step):
        left, coming = bounds.balanced(active, idle)
    else:
        left, coming = bounds.exchanged(active, idle)
        coming = min(coming, idle.ready)  # pods that do not answer are of no use any more
        after = traffic if idle.size else traffic.on_one()
    slots = {
        active.name: NextSlot(traffic.revision, left),
        idle.name: NextSlot(idle.revision or "", coming),
    }
    return Moves(slots, after)


def _waits(step: Step) -> bool:
    """Nothing is known, so nothing rolls, forth or back (law 2)."""
    goal, revision = step.goal, step.world.idle.revision
    if goal.target is not None or not goal.frozen or not step.world.spec.replicas:
        return False
    return all(entry["revision"] != revision for entry in step.rejected)
