"""Which revision should have the traffic, and why not another."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.goal import brake
from pennant_operator.decide.goal.gates import AskedGate, end_of_windows, holding_gates
from pennant_operator.decide.goal.hold import hold_on, remembered_hold
from pennant_operator.decide.goal.last_good import version_to_start_from
from pennant_operator.decide.goal.line import waits_in_line
from pennant_operator.decide.goal.revisions import revision_today
from pennant_operator.decide.seen.memory import Memory, desired_version
from pennant_operator.decide.seen.observed import (
    Absent,
    Desired,
    ModelVersion,
    Observed,
    Refused,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.hold_form import Hold

# Somebody may be about to put the ModelRegistry right: nothing is known meanwhile.
_NOT_AN_ANSWER = {Reason.REGISTRY_NOT_FOUND, Reason.REGISTRY_INVALID}


@dataclass(frozen=True)
class Goal:
    """Where the traffic should go."""

    target: str | None  # revision to bring to the traffic; None: what has it keeps it
    version: ModelVersion | None = None  # what the registry says, when it says so
    revision: str | None = None  # the revision of that version with today's spec
    rejection: dict[str, Any] | None = None  # why that revision is not tried
    frozen: bool = False  # nothing is known: what comes up may not be taken down
    released: bool = False  # the alias was removed, and then nothing is to run
    back: bool = False  # away from what crashed: it is not kept warm
    start: ModelVersion | None = None  # the last good one: the desired one was rejected here
    registry_hold: Hold | None = None  # in the registry, on the version
    gates: tuple[AskedGate, ...] = ()  # what they say, where one of them holds the version
    braked: bool = False  # the ModelRegistry's brake keeps what is desired from being rolled out
    in_line: bool = False  # what is desired waits for its turn


def choose_goal(
    observed: Observed,
    world: World,
    memory: Memory,
    rejected: list[dict[str, Any]],
    now: datetime,
) -> Goal:
    """The goal; at no pods nothing can be proved, so nothing moves: what is desired waits for them.

    Whether its gates let it through is asked when they are there.
    """
    goal = _goal(observed, world, memory, rejected, now)
    if not world.spec.replicas:
        stopped = goal.braked and goal.version is None  # else it waits for size first
        return replace(goal, target=None, back=False, gates=(), braked=stopped)
    begins = goal.target is not None and goal.target == goal.revision and not goal.back
    if begins and waits_in_line(observed, world, memory, str(goal.target), now):
        return replace(goal, target=None, in_line=True)
    return goal


def _goal(
    observed: Observed,
    world: World,
    memory: Memory,
    rejected: list[dict[str, Any]],
    now: datetime,
) -> Goal:
    """By the registry; whatever is not an answer of it leaves things as they are (law 2)."""
    desired, spec = observed.desired, world.spec
    back = _way_back(world, rejected)
    gone = brake.vanished(observed, memory)
    if gone or isinstance(desired, Unknown | Unresolved) or _may_be_another_database(desired):
        goal = _goal_without_answer(observed, world, memory, rejected, back)
        hold = remembered_hold(memory, desired, spec.watch, now)
        return replace(goal, braked=gone, registry_hold=hold)
    if not isinstance(desired, ModelVersion):
        stopped = brake.is_braked(observed) and world.traffic is not None
        released = _releases(spec, desired) and not stopped
        frozen = isinstance(desired, Refused) and desired.reason in _NOT_AN_ANSWER
        back = None if released else back
        return Goal(back, frozen=frozen, back=back is not None, released=released)
    revision = revision_today(spec, desired)
    rejection = next((entry for entry in rejected if entry["revision"] == revision), None)
    silent = desired.silence is not None
    hold = hold_on(observed, world, memory, desired, revision, now)
    if rejection is not None and back is None and hold is None:
        start = version_to_start_from(observed, world, memory, rejected)
        if start is not None:
            target = revision_today(spec, start)
            return Goal(target, desired, revision, rejection, frozen=silent, start=start)
    if rejection is not None or spec.halted:
        goes_back = back is not None
        return Goal(
            back, desired, revision, rejection, frozen=silent, back=goes_back, registry_hold=hold
        )
    if back is not None and world.idle.size:
        return Goal(back, desired, revision, frozen=silent, back=True)
    if brake.brake_stops(observed, world, memory, desired, revision):
        under_way = brake.begun(observed, memory)
        return Goal(under_way, desired, revision, frozen=True, braked=True)
    if hold is not None:
        return Goal(None, desired, revision, frozen=silent, registry_hold=hold)
    if gates := holding_gates(observed, world, memory, desired, revision, now):
        return Goal(None, desired, revision, frozen=silent, gates=gates)
    return Goal(revision, desired, revision, frozen=silent)


def opens_at(goal: Goal) -> datetime | None:
    """When what holds the version ends by itself; None where it does not."""
    if goal.registry_hold is not None:
        return goal.registry_hold.until
    return end_of_windows(goal.gates)


def _may_be_another_database(desired: Desired) -> bool:
    """A model that is missing altogether may be an empty database behind the same address."""
    return isinstance(desired, Absent) and desired.reason == Reason.MODEL_NOT_FOUND


def _releases(spec: Spec, desired: Absent | Refused) -> bool:
    """Only MLflow's own word that the model is there and the alias, or the stage, is empty.

    Suspend, and a Hold, keep what serves.
    """
    return (
        spec.scale_down
        and not spec.halted
        and isinstance(desired, Absent)
        and desired.reason in {Reason.ALIAS_NOT_SET, Reason.STAGE_EMPTY}
    )


def _goal_without_answer(
    observed: Observed,
    world: World,
    memory: Memory,
    rejected: list[dict[str, Any]],
    back: str | None,
) -> Goal:
    """A rollout under way is finished: what it needs is recorded, and pods fetch by themselves.

    One that was begun for another question than today's, or for another version than is wanted by
    now, waits with what it has, without traffic.
    """
    candidate, spec = memory.candidate.get("revision"), world.spec
    resolved, version = memory.resolved_for(spec.watch), desired_version(observed.desired)
    under_way = candidate in observed.records and resolved and not spec.halted
    if version is not None and version != memory.candidate.get("version"):
        under_way = False
    silent = isinstance(observed.desired, Unknown) and resolved
    return Goal(
        back or (candidate if under_way else None),
        rejection=memory.last_rejection(rejected) if silent else None,
        frozen=True,
        back=back is not None,
    )


def _way_back(world: World, rejected: list[dict[str, Any]]) -> str | None:
    """After a crash in the bake: the warm revision, if it is still there."""
    traffic = world.traffic
    if traffic is None or all(entry["revision"] != traffic.revision for entry in rejected):
        return None
    return traffic.warm if world.idle.revision == traffic.warm else None
