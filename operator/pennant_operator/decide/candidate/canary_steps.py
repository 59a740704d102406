"""The next `status.canary`: which step comes, and what of it must be written before it is done.

A candidate comes up at the size that its step needs; when its pods passed, the weight of the step
is in force. When its time is over and its answers are good, the step is passed: the candidate
grows for the next one, and keeps its weight meanwhile. After the last one it gets all.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.candidate.canary import (
    has_passed,
    is_canary,
    known_canary,
    weight_since,
)
from pennant_operator.decide.candidate.canary_answers import (
    READ_FIELDS,
    is_judged_well,
    with_reading,
)
from pennant_operator.decide.seen.strategy import CanaryStep
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Held, Passed, Waiting

_ACTED_ON = ("stepsPassed", "weight")


def canary_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    """The next `status.canary`, with this traffic; the very same while it says what is so."""
    over = traffic != step.world.traffic or isinstance(step.verdict, Held)
    if over or not is_canary(step) or step.world.idle.revision != step.goal.target:
        return None
    entry = _next_entry(step, known_canary(step))
    return entry if entry["stepsPassed"] or "weight" in entry else None


def is_new_share(step: Step) -> bool:
    """Whether a step or a weight is to be written before it is acted on."""
    entry = canary_entry(step, step.world.traffic)
    if entry is None:
        return False
    return any(entry.get(name) != step.memory.canary.get(name) for name in _ACTED_ON)


def _next_entry(step: Step, entry: dict[str, Any]) -> dict[str, Any]:
    steps, passed = step.world.spec.strategy.steps, entry["stepsPassed"]
    current = steps[passed] if passed < len(steps) else None
    if current is not None and entry.get("weight") != current.percent:
        if has_passed(step):
            others = {k: v for k, v in entry.items() if k not in {*READ_FIELDS, "notReadySince"}}
            return {**others, "weight": current.percent, "since": format_time(step.now)}
    elif current is not None and _is_over(step, current, weight_since(entry)):
        return {**with_reading(step, entry, at_last=True), "stepsPassed": passed + 1}
    return _with_readiness(step, with_reading(step, entry))


def _is_over(step: Step, current: CanaryStep, since: datetime | None) -> bool:
    if since is None or current.pause is None or step.now < since + current.pause:
        return False
    return has_passed(step) and is_judged_well(step)


def _with_readiness(step: Step, entry: dict[str, Any]) -> dict[str, Any]:
    """Since when its pods are not all ready: their clocks begin then, however long it goes on."""
    if "weight" in entry and isinstance(step.verdict, Waiting):
        return {"notReadySince": format_time(step.now), **entry}
    if isinstance(step.verdict, Passed) and "notReadySince" in entry:
        return {name: value for name, value in entry.items() if name != "notReadySince"}
    return entry
