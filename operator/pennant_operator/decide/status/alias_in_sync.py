"""AliasInSync: whether what serves is what is desired, and why not."""

from pennant_operator.decide.seen.observed import (
    Absent,
    ModelVersion,
    Refused,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.status.condition_state import FALSE, TRUE, UNKNOWN, ConditionState
from pennant_operator.decide.status.messages import (
    UNPROVED,
    Situation,
    action_hold_message,
    answers_message,
    brake_message,
    desired_message,
    gates_message,
    line_message,
    missing_message,
    pointer_message,
    progress_message,
    registry_hold_message,
    rejection_message,
    serving_meanwhile,
    warm_message,
)
from pennant_operator.decide.vocabulary import Condition, Reason


def alias_in_sync_state(s: Situation) -> ConditionState:
    """What serves is what is desired."""
    if s.silence is not None:
        return _state_in_silence(s, s.silence)
    state = _state_by_answer(s)
    if not s.missing or s.braked or state[0] != FALSE:
        return state
    return FALSE, Reason.SERVING_VERSION_MISSING, f"{missing_message(s)}; {state[2]}"


def _state_by_answer(s: Situation) -> ConditionState:
    """By what the registry says, or said last."""
    if isinstance(s.desired, Unknown):
        return UNKNOWN, s.desired.reason, desired_message(s.desired) + _meanwhile_message(s)
    if isinstance(s.desired, Unresolved):
        meanwhile = f"; {progress_message(s)}" if s.candidate else ""
        message = desired_message(s.desired) + meanwhile + serving_meanwhile(s)
        return FALSE, s.desired.reason, message
    if not isinstance(s.desired, ModelVersion):
        return _state_without_version(s, s.desired)
    if s.rejection:
        return FALSE, Reason.REJECTED, pointer_message(s, rejection_message(s, named=False))
    if s.in_sync and s.alongside:
        message = pointer_message(s, "takes its traffic back in steps")
        return FALSE, Reason.ROLLING_OUT, message + serving_meanwhile(s)
    if s.in_sync:
        pinned = s.spec.watch.version is not None
        serves = pointer_message(s, "serves" if s.ready else "has the traffic")
        message = serves + warm_message(s) + answers_message(s) + action_hold_message(s)
        return TRUE, Reason.PINNED if pinned else Reason.IN_SYNC, message
    if (waiting := _state_while_waiting(s)) is not None:
        return waiting
    reason = Reason.HELD if s.parked else Reason.ROLLING_OUT
    message = f"{pointer_message(s, 'is wanted')}; {progress_message(s)}{serving_meanwhile(s)}"
    return FALSE, reason, message


def _state_while_waiting(s: Situation) -> ConditionState | None:
    """Of what is not to begin yet; None where nothing is in its way."""
    if s.spec.suspend:
        why = "is not rolled out while spec.suspend is true: set it to false to roll it out"
        why = registry_hold_message(s, named=False) if s.registry_hold else why
        return FALSE, Reason.SUSPENDED, pointer_message(s, why) + serving_meanwhile(s)
    if s.registry_hold:
        why = registry_hold_message(s, named=False)
        return FALSE, Reason.HELD_IN_REGISTRY, pointer_message(s, why) + serving_meanwhile(s)
    if s.spec.replicas == 0:
        return FALSE, Reason.SCALED_TO_ZERO, pointer_message(s, f"waits; {UNPROVED}")
    if s.braked:
        why = f"is not rolled out: {brake_message(s)}"
        return FALSE, Reason.BRAKED, pointer_message(s, why) + _meanwhile_message(s)
    if s.spec.hold:
        why = f"is not rolled out while {s.spec.hold} is there: delete it to roll it out"
        return FALSE, Reason.HELD_BY_ACTION, pointer_message(s, why) + serving_meanwhile(s)
    if s.gates:
        why = gates_message(s, named=False)
        return FALSE, Reason.GATE_NOT_PASSED, pointer_message(s, why) + serving_meanwhile(s)
    if s.line:
        return FALSE, Reason.IN_LINE, pointer_message(s, line_message(s)) + serving_meanwhile(s)
    return None


def _state_without_version(s: Situation, desired: Absent | Refused) -> ConditionState:
    """There is nothing to follow; if it vanished with many others, that is no answer yet."""
    message = desired_message(desired)
    if s.braked:
        return FALSE, Reason.BRAKED, f"{message}; {brake_message(s)}{_meanwhile_message(s)}"
    return FALSE, desired.reason, message + serving_meanwhile(s)


def _state_in_silence(s: Situation, silence: Unknown | Unresolved) -> ConditionState:
    """Unknown once the outage lasted; until then what was said of this spec stays said."""
    if isinstance(silence, Unresolved):
        return FALSE, silence.reason, desired_message(silence) + _meanwhile_message(s)
    if silence.since is not None:
        return UNKNOWN, silence.reason, desired_message(silence) + _meanwhile_message(s)
    state = _state_by_answer(s)
    old = next((c for c in s.before if c["type"] == Condition.ALIAS_IN_SYNC), None)
    if old is None or not s.same_spec:
        return state
    # Versions beside the highest one of a stage are told by the registry only.
    staged = s.spec.watch.stage is not None and state[:2] == (old["status"], old["reason"])
    missing = state[0] == FALSE and old["reason"] == Reason.SERVING_VERSION_MISSING
    if UNKNOWN in {state[0], old["status"]} or staged or missing:
        return old["status"], old["reason"], old["message"]
    return state


def _meanwhile_message(s: Situation) -> str:
    if s.rejection:
        return f"; {rejection_message(s)}"
    if s.candidate:
        return f"; {progress_message(s)}{serving_meanwhile(s)}"
    return serving_meanwhile(s)
