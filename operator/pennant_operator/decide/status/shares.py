"""What a candidate's share of the requests is, and what its next step waits for."""

from typing import Any

from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.strategy import CanaryStep
from pennant_operator.decide.times import format_time, parse_time

_BY_HAND = "until a RolloutAction Skip or Promote"


def canary_message(who: str, entry: dict[str, Any], spec: Spec) -> str:
    """In a sentence without its end; `entry` is status.canary."""
    steps, passed = spec.strategy.steps, entry["stepsPassed"]
    share = f"{who} gets no request yet"
    if "weight" in entry:
        share = f"{who} gets {entry['weight']}% of the requests since {entry.get('since')}"
    if passed >= len(steps):
        return f"{share}, and all of them when {spec.replicas} of its pods are ready"
    current = steps[passed]
    if entry.get("weight") != current.percent:
        pods = f"{current.size(spec.replicas)} of its pods are ready"
        return f"{share}, and {current.percent}% when {pods}"
    return f"{share} (step {passed + 1} of {len(steps)}), {_ends(current, entry, spec)}"


def _ends(current: CanaryStep, entry: dict[str, Any], spec: Spec) -> str:
    if current.pause is None:
        return _BY_HAND
    after = format_time(parse_time(entry["since"]) + current.pause)
    if not spec.answers.check:
        return f"until {after}"
    known = (entry.get("candidate") or {}).get("requests", 0)
    what = f"at least until {after} and until {spec.answers.requests} of its answers are good"
    if "unread" in entry:
        return f"{what}; nothing is known of how it answers: {entry['unread']}"
    return f"{what}, of {known} that were seen"
