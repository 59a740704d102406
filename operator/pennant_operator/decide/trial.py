"""Puts the candidate, or what bakes, before `verdicts.py`."""

from datetime import datetime
from typing import Any

from pennant_operator.decide.candidate import is_parked
from pennant_operator.decide.goal import Goal
from pennant_operator.decide.memory import Memory
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.verdicts import Rejected, Trial, Verdict, crashed_in_bake, judge
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.decide.world import Slot, World


def verdict_on(world: World, goal: Goal, memory: Memory, now: datetime) -> Verdict | None:
    """The verdict on the target in the idle slot; None while there is nothing to judge."""
    idle, replicas = world.idle, world.spec.replicas
    has_traffic = world.traffic is not None and world.traffic.revision == goal.target
    if goal.target is None or has_traffic or idle.revision != goal.target:
        return None
    if (idle.size == 0 and replicas) or is_parked(memory.candidate, goal.target, now):
        return None
    before = memory.candidate if memory.candidate.get("revision") == goal.target else {}
    trial = Trial(
        pods=idle.running,
        replicas=replicas,
        since=parse_time(before["since"]) if before else now,
        ever_ready="firstReadyTime" in before,
        deadlines=world.spec.deadlines,
        shortage=_shortage(idle),
    )
    return judge(trial, now)


def way_back_from_bake(
    world: World, rejected: list[dict[str, Any]], now: datetime
) -> Rejected | None:
    """The rejection of what has the traffic, if it crashes and the warm revision can take over."""
    traffic, active, idle = world.traffic, world.active, world.idle
    if traffic is None or active is None or not world.baking(now):
        return None
    if idle.revision != traffic.warm or not idle.ready:
        return None
    if any(entry["revision"] == traffic.revision for entry in rejected):
        return None
    told = crashed_in_bake(active.running, world.spec.replicas, traffic.since)
    return Rejected(Reason.CRASHED_IN_BAKE, told) if told else None


def _shortage(slot: Slot) -> str | None:
    """What the Deployment says when it may not create pods, such as an exhausted quota."""
    conditions = (slot.deployment or {}).get("status", {}).get("conditions", ())
    failure = next((c for c in conditions if c["type"] == "ReplicaFailure"), None)
    return str(failure["message"]) if failure and failure["status"] == "True" else None
