"""plan(observed, now) -> Plan: every decision of the operator, in one pure function.

The steps, in the order of the code: which revision should have the traffic (goal), how its
candidate does (trial, verdicts, bake), what the slots and the traffic should be (blue_green), which
writes that takes (writes, replacement), what to say (status, conditions, events), when to look
again (pace).

A decision that must survive a crash is recorded before it is acted on: a plan that rejects, holds
or retries a revision writes the status only (and the Service, where it is gone) and comes back at
once.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.actions.once import Effect, effect_of_next
from pennant_operator.decide.actions.reports import reports_of_deployment
from pennant_operator.decide.candidate import replacement
from pennant_operator.decide.candidate.answers import question_before_move
from pennant_operator.decide.candidate.attempts import is_parked, is_retried
from pennant_operator.decide.candidate.bake import way_back_from_bake
from pennant_operator.decide.candidate.durations import phase_durations
from pennant_operator.decide.candidate.questions import is_new_to_pods, question_of
from pennant_operator.decide.candidate.trial import verdict_on
from pennant_operator.decide.goal import ownership
from pennant_operator.decide.goal.goal import Goal, choose_goal, opens_at
from pennant_operator.decide.goal.may_run import with_what_may_run
from pennant_operator.decide.intent import NORMAL, WARNING, Event, Plan
from pennant_operator.decide.manifests.records import records_with
from pennant_operator.decide.moves import Moves
from pennant_operator.decide.notify.news import news_between
from pennant_operator.decide.notify.outbox import next_outbox
from pennant_operator.decide.seen.actions import State, in_force
from pennant_operator.decide.seen.answers import ReportQuestion
from pennant_operator.decide.seen.memory import (
    MAX_STATUS_ENTRIES,
    Memory,
    memory_of,
    still_rejected,
)
from pennant_operator.decide.seen.observed import Observed, Refused
from pennant_operator.decide.seen.peoples_word import answer_to_pin, spec_of, with_pin
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.decide.seen.spec import InvalidSpecError, watch_of
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.seen.world import World, world_of
from pennant_operator.decide.status.events import events_of, unreadable_records
from pennant_operator.decide.status.stalled import stalled_plan, still_refused
from pennant_operator.decide.status.status import status_of
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.traffic.pace import FAST_LOOK_SECONDS, next_look, unsettled
from pennant_operator.decide.traffic.strategies import next_moves
from pennant_operator.decide.traffic.writes import service_writes, writes_for
from pennant_operator.decide.verdict import Crowded, Held, Rejected
from pennant_operator.decide.vocabulary import EventReason, Reason

DELETION_RECHECK_SECONDS = 1.0  # between two looks at children that are being deleted
# between two looks at somebody else's object in the way: no watch tells when it is gone
CONFLICT_RECHECK_SECONDS = 10.0


def plan(observed: Observed, now: datetime) -> Plan:
    """What to do about one ModelDeployment."""
    if "deletionTimestamp" in observed.owner["metadata"]:
        return Plan()  # the garbage collector follows the owner references
    observed = _as_it_counts(observed, now)
    decided = _plan_undeleted(observed, now)
    events = unreadable_records(observed.unreadable)
    decided = replace(decided, events=(*events, *decided.events)) if events else decided
    decided = _with_notifications(decided, observed, now)
    return _with_reports(decided, observed, now) if observed.actions else decided


def _with_notifications(decided: Plan, observed: Observed, now: datetime) -> Plan:
    """With what notifiers are to be sent of it, and without what they were sent."""
    before, watch = observed.owner["status"], watch_of(observed.owner)
    status = before if decided.status is None and observed.sent else decided.status
    if status is None or watch is None:
        return decided
    outbox = next_outbox(
        status,
        before,
        news_between(before, status, observed.owner["metadata"]["uid"], now),
        watch.registry,
        observed.registry.notifiers if observed.registry is not None else None,
        observed.sent,
        now,
    )
    others = {name: value for name, value in status.items() if name != "notifications"}
    status = {**others, "notifications": outbox.entries} if outbox.entries else others
    return replace(
        decided,
        status=status,
        events=(*decided.events, *outbox.events),
        given_up=outbox.given_up,
        requeue_after=_sooner(decided.requeue_after, outbox.due),
    )


def _with_reports(decided: Plan, observed: Observed, now: datetime) -> Plan:
    """What RolloutActions are told of themselves, and no later look than one of them needs."""
    status = observed.owner["status"] if decided.status is None else decided.status
    name = observed.owner["metadata"]["name"]
    reports = reports_of_deployment(observed.actions, name, status, now)
    return replace(
        decided, reports=reports.writes, requeue_after=_sooner(decided.requeue_after, reports.due)
    )


def _sooner(*looks: float | None) -> float | None:
    return min((each for each in looks if each is not None), default=None)


def _plan_undeleted(observed: Observed, now: datetime) -> Plan:
    owner = observed.owner
    try:
        spec = spec_of(observed, now)
    except InvalidSpecError as error:
        return stalled_plan(observed, Refused(Reason.INVALID_SPEC, str(error)), now)
    if conflict := ownership.name_conflict(observed.children, owner):
        refused = stalled_plan(observed, Refused(Reason.NAME_CONFLICT, conflict), now)
        return replace(refused, requeue_after=CONFLICT_RECHECK_SECONDS)
    deletion_awaited = ownership.awaits_deletion(observed.children, owner)
    if not deletion_awaited and (adoptions := ownership.adoptions(observed.children, owner)):
        return Plan(writes=adoptions, requeue_after=0.0)
    observed = replace(observed, children=ownership.owned_children(observed.children, owner))
    step = _first_step(observed, world_of(observed, spec, now), now)
    if deletion_awaited:
        waiting = _plan_status_only(step)
        return replace(waiting, writes=(), requeue_after=DELETION_RECHECK_SECONDS)
    return _plan_step(step)


def wants_pods(observed: Observed, now: datetime) -> bool:
    """Whether `plan` must see pods; a settled ModelDeployment costs no list of them."""
    step = _step_before(observed, now)
    if step is None:
        return False
    target, traffic = step.goal.target, step.world.traffic
    moving = target is not None and (traffic is None or traffic.revision != target)
    return moving or unsettled(step.world, step.memory, now)


def wanted_reports(observed: Observed, now: datetime) -> ReportQuestion | None:
    """Which pods are to be asked how they answered; None: none, of nearly every ModelDeployment."""
    step = _step_before(observed, now)
    return None if step is None else question_of(replace(step, verdict=verdict_on(step)))


def _step_before(observed: Observed, now: datetime) -> Step | None:
    """By what was seen so far; None where the spec cannot be understood."""
    observed = _as_it_counts(observed, now)
    try:
        world = world_of(observed, spec_of(observed, now), now)
    except InvalidSpecError:
        return None
    return _first_step(observed, world, now)


def _as_it_counts(observed: Observed, now: datetime) -> Observed:
    """The ModelDeployment with what of its status is whole, and with what is pinned."""
    status = sanitized_status(observed.owner.get("status"))
    owner = with_pin(observed.owner, in_force(observed.actions, now))
    return replace(observed, owner=owner | {"status": status})


def _first_step(
    observed: Observed, world: World, now: datetime, memory: Memory | None = None
) -> Step:
    memory, watch = memory or memory_of(observed.owner), world.spec.watch
    observed = replace(observed, desired=answer_to_pin(observed.desired, watch))
    observed = with_what_may_run(observed, world, memory)
    rejected = still_rejected(memory, observed.desired)
    goal = choose_goal(observed, world, memory, rejected, now)
    records = records_with(observed, world, goal)
    return Step(observed, world, memory, goal, rejected, None, records, now)


def _plan_step(step: Step) -> Plan:
    world, goal, now = step.world, step.goal, step.now
    if (effect := effect_of_next(step)) is not None:
        return _plan_effect(step, effect)
    bad = way_back_from_bake(step)
    if bad is not None and world.traffic is not None:
        return _plan_rejection(step, world.traffic.revision, bad)
    if is_retried(step.memory.candidate, goal.target, now):
        return _plan_status_only(step)
    verdict = verdict_on(step)
    step = replace(step, verdict=verdict)
    if isinstance(verdict, Rejected) and goal.target is not None:
        return _plan_rejection(step, goal.target, verdict)
    if isinstance(verdict, Held | Crowded) or is_new_to_pods(step):
        return _plan_status_only(step)
    if (question := question_before_move(step)) is not None:
        return _plan_baseline(step, question)
    return _plan_moves(step)


def _plan_baseline(step: Step, question: ReportQuestion) -> Plan:
    """Record how what has the traffic answers; the next pass moves the traffic.

    A report that cannot be had is recorded as that: nothing waits longer than for one answer.
    """
    reports, decided = step.observed.reports, _plan_status_only(step)
    if reports is None or reports.about != question.about:
        return replace(decided, requeue_after=FAST_LOOK_SECONDS)
    return decided


def _plan_moves(step: Step) -> Plan:
    parked = is_parked(step.memory.candidate, step.goal.target, step.now)
    moves = next_moves(step, parked=parked)
    bad_pods = replacement.replacements(step.world, moves, step.now)
    writes = (*writes_for(step, moves), *map(replacement.pod_deletion, bad_pods))
    status = status_of(step, moves.traffic)
    begins = _candidate_of(status) not in {None, step.memory.candidate.get("revision")}
    if begins:
        status = still_refused(step.memory, status)
    after = replace(step.world, traffic=moves.traffic)
    events = events_of(step.world.spec, step.memory.status, status)
    return Plan(
        writes=writes,
        status=status,
        events=(*map(replacement.replacement_event, bad_pods), *events),
        requeue_after=next_look(
            after, Memory(status), step.now, wrote=bool(writes), opens=opens_at(step.goal)
        ),
        begins=begins,
        durations=_durations_of(step, moves.traffic),
    )


def _candidate_of(status: dict[str, Any]) -> str | None:
    revision: str | None = (status.get("candidate") or {}).get("revision")
    return revision


def _durations_of(step: Step, traffic: Traffic | None) -> dict[str, float]:
    """The phases of the rollout that ends with this move of the traffic; none where none does."""
    candidate = step.memory.candidate
    if traffic is None or traffic == step.world.traffic:
        return {}
    if traffic.revision != candidate.get("revision"):
        return {}
    return phase_durations(candidate, step.world.slots[traffic.slot].running, step.now)


def _plan_effect(step: Step, effect: Effect) -> Plan:
    """Record what a RolloutAction came to, effect and all; the next pass acts on it."""
    memory = replace(step.memory, status=effect.status)
    after = _first_step(step.observed, step.world, step.now, memory)
    decided = (
        _plan_rejection(after, *effect.rejection)
        if effect.rejection is not None
        else _plan_status_only(after)
    )
    action, done = effect.action, effect.state is State.DONE
    title = action.title(actors_checked=step.observed.actors_checked)
    event = Event(
        NORMAL if done else WARNING,
        EventReason.ROLLOUT_ACTION,
        f"{action.act} by {title}: {effect.message}",
    )
    return replace(decided, events=(event, *decided.events))


def _plan_rejection(step: Step, revision: str, verdict: Rejected) -> Plan:
    """Record the rejection; the next pass acts on it."""
    entry = {
        "version": step.version_of(revision),
        "revision": revision,
        "reason": str(verdict.reason),
        "message": verdict.message,
        "time": format_time(step.now),
    }
    others = [e for e in step.rejected if e["revision"] != revision]
    rejected = [entry, *others][:MAX_STATUS_ENTRIES]
    in_force = entry if revision == step.goal.revision else step.goal.rejection
    goal = Goal(None, step.goal.version, step.goal.revision, in_force)
    return _plan_status_only(replace(step, rejected=rejected, goal=goal, verdict=None))


def _plan_status_only(step: Step) -> Plan:
    """No move. A Service that somebody deleted comes back: the status says that it answers."""
    status = status_of(step, step.world.traffic)
    events = events_of(step.world.spec, step.memory.status, status)
    writes = () if step.world.service else service_writes(step, Moves({}, step.world.traffic))
    return Plan(writes=tuple(writes), status=status, events=events, requeue_after=0.0)
