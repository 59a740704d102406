"""Canary: a candidate gets a share of the requests, step by step, before it gets all of them.

It comes up in the idle slot with as many pods as its share needs. The pods that have the traffic
hand the share over to it, to the Service `<name>-candidate`. What is rejected, held or superseded
loses its share in the pass in which its pods begin to leave. After the last step it moves as with
BlueGreen, and so does what comes where nothing serves, or where what serves can share nothing.
"""

from dataclasses import replace

from pennant_operator.decide.candidate.canary import (
    gets_all_next,
    is_canary,
    known_canary,
    wanted_size,
    weight_since,
)
from pennant_operator.decide.moves import Moves, NextSlot
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.blue_green import blue_green


def canary(step: Step, *, parked: bool) -> Moves:
    """The moves towards the goal; the verdict is on as many pods as the idle slot is to have."""
    world, target = step.world, step.goal.target
    whole = step if gets_all_next(step) else replace(step, verdict=None)
    moves = blue_green(whole, parked=parked)
    planned = moves.slots.get(world.idle.name)
    ends = moves.traffic != world.traffic
    if ends or target is None or planned is None or planned.revision != target:
        return moves
    if not is_canary(step):
        return moves
    sized = {**moves.slots, world.idle.name: NextSlot(target, wanted_size(step))}
    entry = known_canary(step)
    if weight_since(entry) is None or world.idle.revision != target:
        return replace(moves, slots=sized)
    return replace(moves, slots=sized, candidate=world.idle.name, weight=entry["weight"])
