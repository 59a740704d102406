"""Puts the candidate, or what bakes, before `verdicts.py`."""

from datetime import datetime

from pennant_operator.decide.candidate.attempts import is_parked
from pennant_operator.decide.candidate.canary import is_canary, known_canary, weight_since
from pennant_operator.decide.candidate.canary_answers import verdict_in_canary
from pennant_operator.decide.candidate.environments import Installing
from pennant_operator.decide.candidate.recreating import (
    crowded,
    held_by_lobby,
    held_without_room,
    recreates,
)
from pennant_operator.decide.candidate.roll import progress_since, verdict_in_roll
from pennant_operator.decide.candidate.room import needed_by_what_serves, pods_in_the_way
from pennant_operator.decide.candidate.verdicts import Trial, held_for_room, judge
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.verdict import Held, Rejected, Verdict, Waiting
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.durations import format_duration


def verdict_on(step: Step) -> Verdict | None:
    """The verdict on the target; None while there is nothing to judge."""
    world, goal, memory, now = step.world, step.goal, step.memory, step.now
    idle = world.idle
    has_traffic = world.traffic is not None and world.traffic.revision == goal.target
    if goal.target is None or has_traffic or is_parked(memory.candidate, goal.target, now):
        return None
    makes_way = recreates(world, memory, goal.target)
    if idle.revision != goal.target:
        return _held_by_occupied_slot(step) or (held_by_lobby(step) if makes_way else None)
    if idle.size == 0:
        return held_by_lobby(step) if makes_way else _held_by_precedence(step)
    if (no_room := crowded(step)) is not None:
        return no_room
    if (bad := verdict_in_roll(step)) is not None:
        return bad
    verdict = judge(_trial(step, goal.target), now)
    if makes_way and isinstance(verdict, Waiting | Held):
        return _verdict_on_the_way(step, verdict)
    if not isinstance(verdict, Held | Rejected) and (bad := verdict_in_canary(step)) is not None:
        return bad
    warm = world.traffic is not None and world.traffic.warm == goal.target
    if warm and world.baking(now) and isinstance(verdict, Held | Rejected):
        # It answered a moment ago, and taking it down would leave nothing to go back to.
        return Waiting("load", verdict.message)
    return verdict


def _verdict_on_the_way(step: Step, verdict: Waiting | Held) -> Verdict | None:
    """Pods that lack room beside what serves are none of its, and leave before that does."""
    if step.world.active is not None and step.world.active.size:
        return held_by_lobby(step)
    return held_without_room(step) or verdict


def _held_by_precedence(step: Step) -> Held | None:
    """What has just made room would take it again, before what serves has it."""
    needed = needed_by_what_serves(step.world)
    return held_for_room(*needed) if needed else None


def _held_by_occupied_slot(step: Step) -> Held | None:
    """Pods of an earlier revision that do not end are for a person to end, in the end."""
    candidate, limit = step.memory.candidate, step.world.spec.deadlines.schedule
    left = pods_in_the_way(step, candidate)
    if not left or step.now - parse_time(candidate["since"]) < limit:
        return None
    late = f"waited longer than {format_duration(limit)} (spec.rollout.deadlines.schedule)"
    return Held(
        Reason.SLOT_OCCUPIED,
        f"{late} for room in slot {step.world.idle.name}: {left}: see why it does not end; where "
        "its node is gone for good, kubectl delete node, or kubectl delete pod --force",
    )


def _trial(step: Step, target: str) -> Trial:
    world, memory = step.world, step.memory
    before = memory.candidate if memory.candidate.get("revision") == target else {}
    traffic = world.traffic
    short, since = before.get("shortSince"), parse_time(before["since"]) if before else step.now
    return Trial(
        pods=world.idle.running,
        replicas=world.asked,
        since=progress_since(step, since),
        ever_ready="firstReadyTime" in before or memory.served_last(target),
        digest=step.digest_of(target),
        deadlines=world.spec.deadlines,
        shortage=world.idle.shortage,
        evicted=world.idle.evicted,
        short_since=parse_time(short) if short else None,
        first_ready=_first_ready(before.get("firstReadyTime"), since, world.idle.running),
        back=traffic is not None and traffic.warm == target and world.baking(step.now),
        needed=None if recreates(world, memory, target) else needed_by_what_serves(world),
        installing=_installing(step, target),
        anew=_clocks_anew(step),
    )


def _clocks_anew(step: Step) -> datetime | None:
    """A candidate that has a share of the traffic may have it for days: what counts is for how long
    it is short of good pods."""
    entry = known_canary(step)
    if weight_since(entry) is None or not is_canary(step):
        return None
    return parse_time(entry["notReadySince"]) if "notReadySince" in entry else step.now


def _installing(step: Step, target: str) -> Installing | None:
    record = step.records.get(target)
    if record is None or not record.installs:
        return None
    pinned = step.environment_of(target)
    image = str(record.fetch_container.get("image"))
    return Installing(image, pinned.digest if pinned else None)


def _first_ready(
    recorded: str | None, since: datetime, pods: tuple[PodFacts, ...]
) -> datetime | None:
    """When the first pod of this attempt was ready; an earlier attempt's says nothing of it."""
    if recorded and parse_time(recorded) >= since:
        return parse_time(recorded)
    return min((p.ready_since for p in pods if p.ready and p.ready_since), default=None)
