"""Approve, Abort, Retry, Promote and Skip: what each does to a rollout, once.

The effect and the name of the action are written into the ModelDeployment's status in one request;
only then is the action told that it is done. Whoever is killed in between finds it there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pennant_operator.decide.candidate.attempts import is_parked, tried_now
from pennant_operator.decide.candidate.canary import is_canary, known_canary
from pennant_operator.decide.seen.actions import Act, RolloutAction, State, in_force
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Rejected
from pennant_operator.decide.vocabulary import Reason

Status = dict[str, Any]


@dataclass(frozen=True)
class Effect:
    """What an action came to, and the status that says so."""

    action: RolloutAction
    state: State
    message: str
    status: Status  # with the effect, but for a rejection
    rejection: tuple[str, Rejected] | None = None  # of a revision


def effect_of_next(step: Step) -> Effect | None:
    """Of the oldest action that can act now; None while there is none, or one is to be told yet."""
    if step.memory.untold_action(step.observed.actions) is not None:
        return None
    if step.world.traffic is not None and step.world.service is None:
        return None  # somebody deleted it: that anything is answered again comes first
    for action in in_force(step.observed.actions, step.now).once:
        effect = _EFFECTS[action.act](action, step) if action.act in _EFFECTS else None
        if effect is not None:
            return _recorded(effect, step)
    return None


def _recorded(effect: Effect, step: Step) -> Effect:
    entry = {
        "name": effect.action.name,
        "uid": effect.action.uid,
        "state": str(effect.state),
        "message": effect.message,
        "time": format_time(step.now),
    }
    return replace(effect, status={**effect.status, "action": entry})


def _approve(action: RolloutAction, step: Step) -> Effect | None:
    """It counts while its version is desired; until then it waits."""
    desired, revision = step.observed.desired, step.goal.revision
    if not isinstance(desired, ModelVersion) or revision is None:
        return None
    if not _means(action, desired.version, revision):
        return None
    entry = {
        "version": desired.version,
        "revision": revision,
        "action": action.name,
        "time": format_time(step.now),
    }
    status = {**step.memory.status, "approved": entry}
    message = f"version {desired.version} passes its gates, all but closed ones"
    return Effect(action, State.DONE, message, status)


def _abort(action: RolloutAction, step: Step) -> Effect | None:
    """What comes up, or has the traffic and bakes, is rejected; what is gone back to is not."""
    world, target = step.world, step.goal.target
    traffic, baking = world.traffic, world.baking(step.now)
    revision = traffic.revision if traffic is not None and baking else None
    if target is not None and (traffic is None or traffic.revision != target):
        if step.goal.back or (traffic is not None and baking and traffic.warm == target):
            why = f"the traffic goes back to version {step.version_of(target)} already"
            return _refusal(action, step, why)
        revision = target
    if revision is None:
        why = "no version comes up, and none bakes: pin another version to take the traffic away"
        return _refusal(action, step, why)
    version = step.version_of(revision)
    if not _means(action, version, revision):
        why = f"what comes up or bakes is version {version}, revision {revision}"
        return _refusal(action, step, why)
    by = action.title(actors_checked=step.observed.actors_checked)
    rejected = Rejected(Reason.ABORTED, f"{by} aborted it")
    message = f"version {version} is rejected"
    return Effect(action, State.DONE, message, step.memory.status, (revision, rejected))


def _promote(action: RolloutAction, step: Step) -> Effect | None:
    """The steps that are left are passed."""
    return _pass_steps(action, step, len(step.world.spec.strategy.steps))


def _skip(action: RolloutAction, step: Step) -> Effect | None:
    """The step that it is at is passed."""
    return _pass_steps(action, step, known_canary(step)["stepsPassed"] + 1)


def _pass_steps(action: RolloutAction, step: Step, passed: int) -> Effect | None:
    steps, target = len(step.world.spec.strategy.steps), step.goal.target
    if target is None or not is_canary(step):
        return _refusal(action, step, "no version is at a step of a canary")
    version, entry = step.version_of(target), known_canary(step)
    if not _means(action, version, target):
        return _refusal(action, step, f"what comes up is version {version}, revision {target}")
    if step.world.idle.revision != target:
        return None  # it gets its slot next, or once that is empty
    if entry["stepsPassed"] >= steps:
        why = f"version {version} passed all its steps, and gets all of the traffic next"
        return _refusal(action, step, why)
    status = {**step.memory.status, "canary": {**entry, "stepsPassed": passed}}
    message = f"version {version} passed {passed} of {steps} steps"
    return Effect(action, State.DONE, message, status)


def _retry(action: RolloutAction, step: Step) -> Effect | None:
    """A rejection is lifted, a wait is over."""
    status, candidate = step.memory.status, step.memory.candidate
    lifted = [entry for entry in step.rejected if _is_retried(action, entry, step)]
    if lifted:
        left = [entry for entry in step.rejected if entry not in lifted]
        message = f"version {lifted[0]['version']} is no longer rejected"
        return Effect(action, State.DONE, message, {**status, "rejected": left})
    parked = is_parked(candidate, candidate.get("revision"), step.now)
    if parked and _means(action, candidate["version"], candidate["revision"]):
        message = f"version {candidate['version']} is tried again now"
        tried = {**status, "candidate": tried_now(candidate, step.now)}
        return Effect(action, State.DONE, message, tried)
    what = f"version {action.version}" if action.version else "what is desired"
    return _refusal(action, step, f"{what} is neither rejected nor waiting to be tried again")


def _is_retried(action: RolloutAction, entry: Status, step: Step) -> bool:
    """The one that it names; where it names none, the one in the way."""
    if action.version or action.revision:
        return _means(action, entry["version"], entry["revision"])
    return step.goal.rejection is not None and entry["revision"] == step.goal.rejection["revision"]


def _means(action: RolloutAction, version: str, revision: str) -> bool:
    return action.version in {None, version} and action.revision in {None, revision}


def _refusal(action: RolloutAction, step: Step, why: str) -> Effect:
    return Effect(action, State.REFUSED, why, step.memory.status)


_EFFECTS: dict[Act, Callable[[RolloutAction, Step], Effect | None]] = {
    Act.APPROVE: _approve,
    Act.ABORT: _abort,
    Act.RETRY: _retry,
    Act.PROMOTE: _promote,
    Act.SKIP: _skip,
}
