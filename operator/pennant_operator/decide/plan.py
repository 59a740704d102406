"""plan(observed, now) -> Plan: every decision of the operator, in one pure function.

The steps, in the order of the code: which revision should have the traffic (goal), how its
candidate does (trial, verdicts), what the slots and the traffic should be (strategies), which
writes that takes (writes, replacement), what to say (status, conditions, transitions), when to
look again (pace).

A decision that must survive a crash is recorded before it is acted on: a plan that rejects, holds
or retries a revision writes the status only and comes back at once.
"""

from dataclasses import replace
from datetime import datetime

from pennant_operator.decide.candidate import replacement
from pennant_operator.decide.candidate.attempts import is_parked, is_retried
from pennant_operator.decide.candidate.durations import durations
from pennant_operator.decide.candidate.trial import verdict_on, way_back_from_bake
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.manifests.records import records_with
from pennant_operator.decide.seen.memory import KEPT, Memory, memory_of, still_rejected
from pennant_operator.decide.seen.observed import Observed, Refused
from pennant_operator.decide.seen.spec import InvalidSpecError, parse
from pennant_operator.decide.seen.whole import whole
from pennant_operator.decide.seen.world import Traffic, World, see
from pennant_operator.decide.status.events import events_of, unreadable_records
from pennant_operator.decide.status.stalled import refuse
from pennant_operator.decide.status.status import status_of
from pennant_operator.decide.step import Step
from pennant_operator.decide.target import ownership
from pennant_operator.decide.target.goal import Goal, choose
from pennant_operator.decide.target.recalled import recalled
from pennant_operator.decide.times import format_time
from pennant_operator.decide.traffic.blue_green import blue_green
from pennant_operator.decide.traffic.pace import next_look, unsettled
from pennant_operator.decide.traffic.writes import writes_for
from pennant_operator.decide.verdict import Held, Rejected
from pennant_operator.decide.vocabulary import Reason

AWAIT_SECONDS = 1.0  # between two looks at children that are being deleted
# between two looks at somebody else's object in the way: no watch tells when it is gone
CONFLICT_SECONDS = 10.0


def plan(observed: Observed, now: datetime) -> Plan:
    """What to do about one ModelDeployment."""
    if "deletionTimestamp" in observed.owner["metadata"]:
        return Plan()  # the garbage collector follows the owner references
    decided = _plan(_understood(observed), now)
    told = unreadable_records(observed.unreadable)
    return replace(decided, events=(*told, *decided.events)) if told else decided


def _plan(observed: Observed, now: datetime) -> Plan:
    owner = observed.owner
    try:
        spec = parse(owner)
    except InvalidSpecError as error:
        return refuse(observed, Refused(Reason.INVALID_SPEC, str(error)), now)
    if told := ownership.conflict(observed.children, owner):
        refused = refuse(observed, Refused(Reason.NAME_CONFLICT, told), now)
        return replace(refused, requeue_after=CONFLICT_SECONDS)
    awaited = ownership.awaited(observed.children, owner)
    if not awaited and (adoptions := ownership.adoptions(observed.children, owner)):
        return Plan(writes=adoptions, requeue_after=0.0)
    observed = replace(observed, children=ownership.ours(observed.children, owner))
    step = _look(observed, see(observed, spec, now), now)
    if awaited:
        return replace(_record(step), requeue_after=AWAIT_SECONDS)
    return _decide(step)


def wants_pods(observed: Observed, now: datetime) -> bool:
    """Whether `plan` must see pods; a settled ModelDeployment costs no list of them."""
    observed = _understood(observed)
    try:
        world = see(observed, parse(observed.owner), now)
    except InvalidSpecError:
        return False
    step = _look(observed, world, now)
    target, memory = step.goal.target, step.memory
    moving = target is not None and (world.traffic is None or world.traffic.revision != target)
    return moving or unsettled(world, memory, now)


def _understood(observed: Observed) -> Observed:
    status = whole(observed.owner.get("status"))
    return replace(observed, owner=observed.owner | {"status": status})


def _look(observed: Observed, world: World, now: datetime) -> Step:
    memory = memory_of(observed.owner)
    observed = replace(observed, desired=recalled(observed, world.spec.watch, memory))
    rejected = still_rejected(memory, observed.desired)
    goal = choose(observed, world, memory, rejected)
    records = records_with(observed, world, goal)
    return Step(observed, world, memory, goal, rejected, None, records, now)


def _decide(step: Step) -> Plan:
    world, goal, now = step.world, step.goal, step.now
    crash = way_back_from_bake(world, step.rejected, now)
    if crash is not None and world.traffic is not None:
        return _reject(step, world.traffic.revision, crash)
    if is_retried(step.memory.candidate, goal.target, now):
        return _record(step)
    verdict = verdict_on(step)
    step = replace(step, verdict=verdict)
    if isinstance(verdict, Rejected) and goal.target is not None:
        return _reject(step, goal.target, verdict)
    if isinstance(verdict, Held):
        return _record(step)
    return _act(step)


def _act(step: Step) -> Plan:
    parked = is_parked(step.memory.candidate, step.goal.target, step.now)
    moves = blue_green(step, parked=parked)
    bad = replacement.replacements(step.world, moves, step.now)
    writes = (*writes_for(step, moves), *map(replacement.deletion, bad))
    status = status_of(step, moves.traffic)
    after = replace(step.world, traffic=moves.traffic)
    told = events_of(step.world.spec, step.memory.status, status)
    return Plan(
        writes=writes,
        status=status,
        events=(*map(replacement.told, bad), *told),
        requeue_after=next_look(after, Memory(status), step.now, wrote=bool(writes)),
        durations=_took(step, moves.traffic),
    )


def _took(step: Step, traffic: Traffic | None) -> dict[str, float]:
    """The phases of the rollout that ends with this move of the traffic; none where none does."""
    candidate = step.memory.candidate
    if traffic is None or traffic == step.world.traffic:
        return {}
    if traffic.revision != candidate.get("revision"):
        return {}
    return durations(candidate, step.world.slots[traffic.slot].running, step.now)


def _reject(step: Step, revision: str, verdict: Rejected) -> Plan:
    """Record the rejection; the next pass acts on it."""
    entry = {
        "version": step.version_of(revision),
        "revision": revision,
        "reason": str(verdict.reason),
        "message": verdict.message,
        "time": format_time(step.now),
    }
    rejected = [entry, *(e for e in step.rejected if e["revision"] != revision)][:KEPT]
    in_force = entry if revision == step.goal.revision else step.goal.rejection
    goal = Goal(None, step.goal.version, step.goal.revision, in_force)
    return _record(replace(step, rejected=rejected, goal=goal, verdict=None))


def _record(step: Step) -> Plan:
    status = status_of(step, step.world.traffic)
    events = events_of(step.world.spec, step.memory.status, status)
    return Plan(status=status, events=events, requeue_after=0.0)
