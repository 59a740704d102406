"""Auto: BlueGreen where the new pods find room, else Recreate, as `status.candidate` says."""

from pennant_operator.decide.candidate.recreating import recreates
from pennant_operator.decide.moves import Moves
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.blue_green import blue_green
from pennant_operator.decide.traffic.recreate import recreate


def auto(step: Step, *, parked: bool) -> Moves:
    """The moves of the strategy that was decided on, which is recorded before it is acted on."""
    makes_way = recreates(step.world, step.memory, step.goal.target)
    return (recreate if makes_way else blue_green)(step, parked=parked)
