"""The four conditions, the Status word and their messages, from one situation.

Each message says what is the case, why, and what happens or is to be done next.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.observed import ModelVersion, Refused
from pennant_operator.decide.status.alias_in_sync import alias_in_sync_state
from pennant_operator.decide.status.condition_state import (
    FALSE,
    TRUE,
    ConditionState,
    stamped_condition,
)
from pennant_operator.decide.status.messages import (
    Situation,
    brake_message,
    desired_message,
    progress_message,
    rejection_message,
)
from pennant_operator.decide.vocabulary import Condition, Reason, Summary
from pennant_registry.durations import format_duration

# Not all of it is in Git, where the spec is: what serves goes on, and no pipeline is to stop.
_BEFORE_PODS = {
    Reason.SOURCE_NOT_ALLOWED,
    Reason.IMAGE_NOT_ALLOWED,
    Reason.CONFIGURATION_ERROR,
}
_NOT_THE_SPECS = {*_BEFORE_PODS, Reason.REGISTRY_INVALID}


def conditions_of(situation: Situation, generation: int, now: datetime) -> list[dict[str, Any]]:
    """The four conditions; a transition time moves only with the status."""
    states = {
        Condition.READY: ready_state(situation),
        Condition.RECONCILING: reconciling_state(situation),
        Condition.STALLED: stalled_state(situation),
        Condition.ALIAS_IN_SYNC: alias_in_sync_state(situation),
    }
    return [
        stamped_condition(situation.before, kind, *state, generation=generation, now=now)
        for kind, state in states.items()
    ]


def ready_state(s: Situation) -> ConditionState:
    """Traffic is being answered."""
    if s.withdrawn:
        why = "what it followed was left without a version"  # perhaps another alias than today
        how = "while spec.onAliasRemoved was ScaleDown"
        message = f"nothing serves, because {why} {how}: {progress_message(s)}"
        return FALSE, Reason.SCALED_DOWN, message
    if s.serving is None:
        return FALSE, Reason.NOTHING_SERVED_YET, f"no version has served yet: {progress_message(s)}"
    pods = f"{s.ready} of {s.spec.replicas} pods"
    if s.ready:
        if s.alongside:
            own, other = s.ready - s.alongside_ready, s.alongside["version"]
            both = f"version {s.serving} answers on {own} pods, version {other} on"
            return TRUE, Reason.SERVING, f"{both} {s.alongside_ready}"
        answering = pods if s.ready <= s.spec.replicas else f"{s.ready} pods"
        return TRUE, Reason.SERVING, f"version {s.serving} answers on {answering}"
    has_traffic = f"version {s.serving} has the traffic"
    if s.spec.replicas == 0:
        what = "spec.replicas is 0, so nothing answers: set it to 1 or more"
        return FALSE, Reason.SCALED_TO_ZERO, f"{has_traffic}, but {what}"
    if s.held_up:
        waits = format_duration(s.spec.strategy.max_wait)
        how = f"requests wait in the lobby since {s.held_up}, each for {waits} at most"
        comes = s.candidate and not s.parked
        then = progress_message(s) if comes else f"version {s.serving} comes back: {s.trouble}"
        return FALSE, Reason.HANDING_OVER, f"{how}: {then}"
    return FALSE, Reason.NO_POD_READY, f"{has_traffic}, but {pods} are ready: {s.trouble}"


def reconciling_state(s: Situation) -> ConditionState:
    """Work is in progress, or due: a rollout, a size not reached yet, a spec not realised yet.

    A bake is not; nor is what waits because of something that is not in the spec.
    """
    if s.line:
        return TRUE, Reason.IN_LINE, progress_message(s)
    if s.candidate and not s.parked:
        return TRUE, Reason.ROLLING_OUT, progress_message(s)
    if s.alongside:
        both = f"versions {s.serving} and {s.alongside['version']} have traffic"
        return TRUE, Reason.ROLLING_OUT, f"{both}, until one of them has all of it"
    if s.serving is not None and s.ready < s.spec.replicas:
        ready = f"{s.ready} of {s.spec.replicas} pods are ready"
        return TRUE, Reason.SCALING, f"{ready}: {s.trouble}"
    if s.serving is not None and s.ready > s.spec.replicas:
        answering = f"{s.ready} pods of version {s.serving} answer, and spec.replicas is"
        return TRUE, Reason.SCALING, f"{answering} {s.spec.replicas}: the others end"
    return _work_due(s) or (FALSE, Reason.SETTLED, "nothing is in progress")


def _work_due(s: Situation) -> ConditionState | None:
    """What the spec asks for and nobody brings up at the moment, unless a person stopped it."""
    if s.serving is None or s.spec.suspend or _stops_the_spec(s):
        return None
    if s.rejection:
        return (TRUE, Reason.REJECTED, rejection_message(s)) if s.edited else None
    if s.parked:
        return (TRUE, Reason.HELD, progress_message(s)) if s.edited else None
    if s.registry_hold and isinstance(s.desired, ModelVersion):
        return (TRUE, Reason.HELD_IN_REGISTRY, progress_message(s)) if s.edited else None
    if s.braked:
        return (TRUE, Reason.BRAKED, _not_rolled_message(s)) if s.edited else None
    if s.gates:
        return (TRUE, Reason.GATE_NOT_PASSED, progress_message(s)) if s.edited else None
    if isinstance(s.desired, ModelVersion):
        if s.in_sync or s.spec.replicas == 0:  # where nothing can be proved
            return None
        if s.spec.hold:
            return (TRUE, Reason.HELD_BY_ACTION, progress_message(s)) if s.edited else None
        return TRUE, Reason.ROLLING_OUT, progress_message(s)
    return _not_realised_state(s) if s.edited else None


def stalled_state(s: Situation) -> ConditionState:
    """A person must act, or nothing will ever serve; a rejection while another serves is not it."""
    if isinstance(s.desired, Refused):
        if _stops_the_spec(s):
            return TRUE, s.desired.reason, desired_message(s.desired)
        message = "what is asked for is refused, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    if s.rejection and s.candidate and s.start:
        version = s.rejection["version"]
        message = f"version {version} was rejected, and the last good one is tried in its place"
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    if s.rejection and s.serving is None:
        return TRUE, Reason.REJECTED, rejection_message(s)
    if s.registry_hold and not s.rejection:
        message = "what is desired is held in the registry, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    if s.braked:
        message = "nothing of its registry is rolled out, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    if s.gates and isinstance(s.desired, ModelVersion):
        message = (
            f"version {s.desired.version} is held by its gates, which stops nothing that serves"
        )
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    if s.rejection or s.parked:
        message = f"version {s.candidate.get('version')} is held, and tried again by itself"
        if s.rejection:
            version = s.rejection["version"]
            message = f"version {version} was rejected, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{message}: AliasInSync says why"
    return FALSE, Reason.NOT_STALLED, "nothing waits for a person"


def summary_of(s: Situation) -> Summary:
    """One word: what a person should know first."""
    ordered = (
        (_stops_the_spec(s), Summary.STALLED),
        (s.rejection is not None, Summary.REJECTED),
        (s.spec.suspend, Summary.SUSPENDED),
        (_is_held(s), Summary.HELD),
        (bool(s.line), Summary.WAITING),
        (bool(s.candidate or s.alongside), Summary.ROLLING_OUT),
        (_work_due(s) is not None and _why_no_version(s) is not None, Summary.WAITING),
        (s.serving is None or s.ready == 0, Summary.WAITING),
        (s.bakes_until is not None, Summary.BAKING),
    )
    return next((word for applies, word in ordered if applies), Summary.SERVING)


def _is_held(s: Situation) -> bool:
    if s.braked:
        return s.parked or not s.candidate
    if s.spec.hold and isinstance(s.desired, ModelVersion) and not s.in_sync:
        return s.spec.replicas > 0
    if s.parked or s.registry_hold or s.gates:
        return True
    return _why_no_version(s) in _BEFORE_PODS


def _why_no_version(s: Situation) -> str | None:
    """Why no version is desired; None where one is."""
    return None if isinstance(s.desired, ModelVersion) else s.desired.reason


def _stops_the_spec(s: Situation) -> bool:
    """Whether a refusal stops the spec, or only a version of a model that serves another one."""
    if not isinstance(s.desired, Refused):
        return False
    return s.serving is None or s.desired.reason not in _NOT_THE_SPECS


def _not_rolled_message(s: Situation) -> str:
    return progress_message(s) if s.candidate else f"nothing is rolled out: {brake_message(s)}"


def _not_realised_state(s: Situation) -> ConditionState:
    assert not isinstance(s.desired, ModelVersion)
    what, why = "what the spec asks for is", desired_message(s.desired)
    if s.desired.reason == Reason.CONFIGURATION_ERROR:
        return TRUE, Reason.CONFIGURATION_ERROR, f"{what} not rolled out: {why}"
    when = f"once {s.spec.watch.pointer} names a version that can be run"
    return TRUE, Reason.WAITING_FOR_VERSION, f"{what} rolled out {when}: {why}"
