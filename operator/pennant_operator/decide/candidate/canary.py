"""Whether a candidate gets its traffic share by share, and how much of it it has (Canary).

`status.canary` remembers how many steps are passed, and the weight that is in force since when:
each is written there before it is acted on (canary_steps.py).
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.candidate.attempts import is_parked
from pennant_operator.decide.candidate.room import answers_nothing
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.verdict import Passed


def is_canary(step: Step) -> bool:
    """Whether what is desired gets a share first; else it comes as with BlueGreen."""
    return _is_asked_for(step) and not hindrance(step)


def hindrance(step: Step) -> str:
    """Why what has the traffic can share none of it; empty: it can, or nobody asks for it."""
    world, traffic = step.world, step.world.traffic
    if traffic is None or not _is_asked_for(step):
        return ""
    if answers_nothing(world, step.memory, step.now):
        return "what has the traffic answers nothing"
    record = step.records.get(traffic.revision)
    if record is None or not record.can_share:
        version = step.version_of(traffic.revision)
        return f"version {version} was rolled out before its pods could hand requests over"
    return ""


def _is_asked_for(step: Step) -> bool:
    """What is gone back to gets all at once, and so does what comes where nothing serves.

    What had the traffic here, and was good, has been tried: whoever points the alias back waits for
    no steps.
    """
    world, goal, traffic = step.world, step.goal, step.world.traffic
    if world.spec.strategy.name is not StrategyName.CANARY or traffic is None or goal.back:
        return False
    if goal.target in {None, traffic.revision} or traffic.route is not Route.SLOT:
        return False
    if step.memory.served_last(str(goal.target)):
        return False
    return not is_parked(step.memory.candidate, goal.target, step.now)


def known_canary(step: Step) -> dict[str, Any]:
    """`status.canary` of what is desired; of one that has not begun: no step is passed."""
    entry, target = step.memory.canary, step.goal.target
    if entry and entry["revision"] == target and step.world.idle.revision == target:
        return entry
    return {"revision": target, "stepsPassed": 0}


def weight_since(entry: dict[str, Any]) -> datetime | None:
    """Since when its weight is in force; None: it has none."""
    return parse_time(entry["since"]) if "weight" in entry and "since" in entry else None


def wanted_size(step: Step) -> int:
    """Pods that the candidate is to have: what its step needs, and all once these are over."""
    steps, full = step.world.spec.strategy.steps, step.world.spec.replicas
    passed = known_canary(step)["stepsPassed"]
    return min(steps[passed].size(full), full) if passed < len(steps) else full


def gets_all_next(step: Step) -> bool:
    """Whether a candidate that passed gets all of the traffic now, whatever it had before."""
    world, traffic = step.world, step.world.traffic
    if world.spec.strategy.name is not StrategyName.CANARY:
        return True
    if traffic is not None and traffic.warm == step.goal.target and world.baking(step.now):
        return True  # one pod is enough to go back
    if world.idle.size < world.spec.replicas:
        return False
    steps = len(world.spec.strategy.steps)
    return not is_canary(step) or known_canary(step)["stepsPassed"] >= steps


def has_passed(step: Step) -> bool:
    """Whether as many of its pods as it is to have now are good."""
    return isinstance(step.verdict, Passed) and step.world.idle.size >= wanted_size(step)
