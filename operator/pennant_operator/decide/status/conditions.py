"""The four conditions, the Status word and their messages, from one situation.

Each message says what is the case, why, and what happens or is to be done next.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.observed import ModelVersion, Refused, Unknown, Unresolved
from pennant_operator.decide.status.messages import (
    UNPROVED,
    Situation,
    kept,
    pointer,
    progress,
    rejected,
    said_by,
    warm,
)
from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import Condition, Reason, Summary

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
Said = tuple[str, Reason | str, str]  # status, reason, message
# Neither is in Git, where the spec is: what serves goes on, and nobody's pipeline is to stop.
_NOT_THE_SPECS = {Reason.SOURCE_NOT_ALLOWED, Reason.REGISTRY_INVALID}


def conditions_of(situation: Situation, generation: int, now: datetime) -> list[dict[str, Any]]:
    """The four conditions; a transition time moves only with the status."""
    said = {
        Condition.READY: ready(situation),
        Condition.RECONCILING: reconciling(situation),
        Condition.STALLED: stalled(situation),
        Condition.ALIAS_IN_SYNC: alias_in_sync(situation),
    }
    return [
        stamp(situation.before, kind, *told, generation=generation, now=now)
        for kind, told in said.items()
    ]


def stamp(
    before: list[dict[str, Any]],
    kind: str,
    status: str,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> dict[str, Any]:
    """A metav1.Condition; its transition time is kept while its status is."""
    old = next((c for c in before if c["type"] == kind), None)
    same = old is not None and old["status"] == status
    return {
        "type": str(kind),
        "status": status,
        "reason": str(reason),
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"] if old and same else format_time(now),
    }


def ready(s: Situation) -> Said:
    """Traffic is being answered."""
    if s.withdrawn:
        why = "what it followed was left without a version"  # perhaps another alias than today
        how = "while spec.onAliasRemoved was ScaleDown"
        told = f"nothing serves, because {why} {how}: {progress(s)}"
        return FALSE, Reason.SCALED_DOWN, told
    if s.serving is None:
        return FALSE, Reason.NOTHING_SERVED_YET, f"no version has served yet: {progress(s)}"
    of = f"{s.ready} of {s.spec.replicas} pods"
    if s.ready:
        on = of if s.ready <= s.spec.replicas else f"{s.ready} pods"
        return TRUE, Reason.SERVING, f"version {s.serving} answers on {on}"
    has = f"version {s.serving} has the traffic"
    if s.spec.replicas == 0:
        what = "spec.replicas is 0, so nothing answers: set it to 1 or more"
        return FALSE, Reason.SCALED_TO_ZERO, f"{has}, but {what}"
    return FALSE, Reason.NO_POD_READY, f"{has}, but {of} are ready: {s.trouble}"


def reconciling(s: Situation) -> Said:
    """Work is in progress, or due: a rollout, a size not reached yet, a spec not realised yet.

    A bake is not; nor is what waits because of something that is not in the spec.
    """
    if s.candidate and not s.parked:
        return TRUE, Reason.ROLLING_OUT, progress(s)
    if s.serving is not None and s.ready < s.spec.replicas:
        of = f"{s.ready} of {s.spec.replicas} pods are ready"
        return TRUE, Reason.SCALING, f"{of}: {s.trouble}"
    if s.serving is not None and s.ready > s.spec.replicas:
        told = f"{s.ready} pods of version {s.serving} answer, and spec.replicas is"
        return TRUE, Reason.SCALING, f"{told} {s.spec.replicas}: the others end"
    return _due(s) or (FALSE, Reason.SETTLED, "nothing is in progress")


def _due(s: Situation) -> Said | None:
    """What the spec asks for and nobody brings up at the moment, unless a person stopped it."""
    if s.serving is None or s.spec.suspend or _stalls(s):
        return None
    if s.rejection:
        return (TRUE, Reason.REJECTED, rejected(s)) if s.edited else None
    if s.parked:
        return (TRUE, Reason.HELD, progress(s)) if s.edited else None
    if isinstance(s.desired, ModelVersion):
        waits = s.in_sync or s.spec.replicas == 0  # where nothing can be proved
        return None if waits else (TRUE, Reason.ROLLING_OUT, progress(s))
    return (TRUE, Reason.WAITING_FOR_VERSION, _not_realised(s)) if s.edited else None


def stalled(s: Situation) -> Said:
    """A person must act, or nothing will ever serve; a rejection while another serves is not it."""
    if isinstance(s.desired, Refused):
        if _stalls(s):
            return TRUE, s.desired.reason, said_by(s.desired)
        told = "what is asked for is refused, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{told}: AliasInSync says why"
    if s.rejection and s.serving is None:
        return TRUE, Reason.REJECTED, rejected(s)
    if s.rejection or s.parked:
        told = f"version {s.candidate.get('version')} is held, and tried again by itself"
        if s.rejection:
            told = f"version {s.rejection['version']} was rejected, which stops nothing that serves"
        return FALSE, Reason.NOT_STALLED, f"{told}: AliasInSync says why"
    return FALSE, Reason.NOT_STALLED, "nothing waits for a person"


def alias_in_sync(s: Situation) -> Said:
    """What serves is what is desired."""
    if s.silence is not None:
        return _unanswered(s, s.silence)
    return _answered(s)


def _answered(s: Situation) -> Said:
    """By what the registry says, or said last."""
    if isinstance(s.desired, Unknown):
        return UNKNOWN, s.desired.reason, said_by(s.desired) + _meanwhile(s)
    if isinstance(s.desired, Unresolved):
        meanwhile = f"; {progress(s)}" if s.candidate else ""
        return FALSE, s.desired.reason, said_by(s.desired) + meanwhile + kept(s)
    if not isinstance(s.desired, ModelVersion):
        return FALSE, s.desired.reason, said_by(s.desired) + kept(s)
    if s.rejection:
        return FALSE, Reason.REJECTED, pointer(s, rejected(s, named=False))
    if s.in_sync:
        pinned = s.spec.watch.version is not None
        told = pointer(s, "serves" if s.ready else "has the traffic") + warm(s)
        return TRUE, Reason.PINNED if pinned else Reason.IN_SYNC, told
    if s.spec.suspend:
        why = "is not rolled out while spec.suspend is true: set it to false to roll it out"
        return FALSE, Reason.SUSPENDED, pointer(s, why) + kept(s)
    if s.spec.replicas == 0:
        return FALSE, Reason.SCALED_TO_ZERO, pointer(s, f"waits; {UNPROVED}")
    reason = Reason.HELD if s.parked else Reason.ROLLING_OUT
    return FALSE, reason, f"{pointer(s, 'is wanted')}; {progress(s)}{kept(s)}"


def summary(s: Situation) -> Summary:
    """One word: what a person should know first."""
    ordered = (
        (_stalls(s), Summary.STALLED),
        (s.rejection is not None, Summary.REJECTED),
        (s.spec.suspend, Summary.SUSPENDED),
        (s.parked or _said_of(s) == Reason.SOURCE_NOT_ALLOWED, Summary.HELD),
        (bool(s.candidate), Summary.ROLLING_OUT),
        (_due(s) is not None and _said_of(s) is not None, Summary.WAITING),
        (s.serving is None or s.ready == 0, Summary.WAITING),
        (s.bakes_until is not None, Summary.BAKING),
    )
    return next((word for applies, word in ordered if applies), Summary.SERVING)


def _said_of(s: Situation) -> str | None:
    """Why no version is desired; None where one is."""
    return None if isinstance(s.desired, ModelVersion) else s.desired.reason


def _stalls(s: Situation) -> bool:
    """Whether a refusal stops the spec, or only a version of a model that serves another one."""
    if not isinstance(s.desired, Refused):
        return False
    return s.serving is None or s.desired.reason not in _NOT_THE_SPECS


def _unanswered(s: Situation, silence: Unknown | Unresolved) -> Said:
    """Unknown once the outage lasted; until then what was said of this spec stays said."""
    if isinstance(silence, Unresolved):
        return FALSE, silence.reason, said_by(silence) + _meanwhile(s)
    if silence.since is not None:
        return UNKNOWN, silence.reason, said_by(silence) + _meanwhile(s)
    told = _answered(s)
    old = next((c for c in s.before if c["type"] == Condition.ALIAS_IN_SYNC), None)
    if old is None or not s.same_spec:
        return told
    # Versions beside the highest one of a stage are told by the registry only.
    staged = s.spec.watch.stage is not None and told[:2] == (old["status"], old["reason"])
    if UNKNOWN in {told[0], old["status"]} or staged:
        return old["status"], old["reason"], old["message"]
    return told


def _meanwhile(s: Situation) -> str:
    if s.rejection:
        return f"; {rejected(s)}"
    if s.candidate:
        return f"; {progress(s)}{kept(s)}"
    return kept(s)


def _not_realised(s: Situation) -> str:
    assert not isinstance(s.desired, ModelVersion)
    when = f"once {s.spec.watch.pointer} names a version that can be run"
    return f"what the spec asks for is rolled out {when}: {said_by(s.desired)}"
