"""Every strategy by its name: how it moves, and what it promises.

While the Service leads elsewhere than to one slot, the strategy that led it there ends what it
began, whatever the spec says by then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pennant_operator.decide.moves import Moves
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.step import Step
from pennant_operator.decide.traffic.auto import auto
from pennant_operator.decide.traffic.blue_green import blue_green
from pennant_operator.decide.traffic.canary import canary
from pennant_operator.decide.traffic.recreate import recreate
from pennant_operator.decide.traffic.rolling import rolling


@dataclass(frozen=True)
class Promise:
    """One strategy: its moves, and what holds while it moves."""

    moves: Callable[..., Moves]  # of a Step, and whether what is desired is parked
    room: str  # that a rollout needs beside what serves, in pods
    successor_first: bool  # law 3 without an exception: what serves stays until another answers
    way_back: str  # how long it takes to what served before


STRATEGIES = {
    StrategyName.BLUE_GREEN: Promise(
        blue_green,
        room="as many as spec.replicas",
        successor_first=True,
        way_back="at once, in the bake",
    ),
    StrategyName.ROLLING: Promise(
        rolling,
        room="spec.rollout.rolling.maxSurge",
        successor_first=True,  # all but maxUnavailable, which a person asked for
        way_back="in the same steps",
    ),
    StrategyName.RECREATE: Promise(
        recreate,
        room="none",
        successor_first=False,
        way_back="as long as its pods take to end and to start",
    ),
    StrategyName.CANARY: Promise(
        canary,
        room="what its step needs, and as many as spec.replicas in the end",
        successor_first=True,
        way_back="at once, before it has all of the traffic, and in the bake",
    ),
    StrategyName.AUTO: Promise(
        auto,
        room="as many as spec.replicas, or none",
        successor_first=False,
        way_back="as that of BlueGreen or of Recreate, whichever it was",
    ),
}
_ENDED_BY = {Route.BOTH: StrategyName.ROLLING, Route.LOBBY: StrategyName.RECREATE}


def next_moves(step: Step, *, parked: bool) -> Moves:
    """Where the strategy in force goes next."""
    return STRATEGIES[strategy_in_force(step)].moves(step, parked=parked)


def strategy_in_force(step: Step) -> StrategyName:
    """That of the spec, or that of what is under way."""
    traffic = step.world.traffic
    route = traffic.route if traffic is not None else Route.SLOT
    return _ENDED_BY.get(route, step.world.spec.strategy.name)
