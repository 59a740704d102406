"""The four conditions, the Status word and their messages, from one situation.

Each message says what is the case, why, and what happens or is to be done next.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.observed import Absent, Refused, Unknown, Unresolved
from pennant_operator.decide.phrases import (
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
        why = f"{s.spec.watch.pointer} was left without a version"
        how = "while spec.onAliasRemoved was ScaleDown"
        told = f"nothing serves, because {why} {how}: {progress(s)}"
        return FALSE, Reason.SCALED_DOWN, told
    if s.serving is None:
        return FALSE, Reason.NOTHING_SERVED_YET, f"no version has served yet: {progress(s)}"
    of = f"{s.ready} of {s.spec.replicas} pods"
    if s.ready:
        return TRUE, Reason.SERVING, f"version {s.serving} answers on {of}"
    has = f"version {s.serving} has the traffic"
    if s.spec.replicas == 0:
        what = "spec.replicas is 0, so nothing answers: set it to 1 or more"
        return FALSE, Reason.SCALED_TO_ZERO, f"{has}, but {what}"
    return FALSE, Reason.NO_POD_READY, f"{has}, but {of} are ready: {s.trouble}"


def reconciling(s: Situation) -> Said:
    """Work is in progress: a rollout, or a size not reached yet. A bake is not."""
    if s.candidate and not s.parked:
        return TRUE, Reason.ROLLING_OUT, progress(s)
    if s.serving is not None and s.ready < s.spec.replicas:
        of = f"{s.ready} of {s.spec.replicas} pods are ready"
        return TRUE, Reason.SCALING, f"{of}: {s.trouble}"
    return FALSE, Reason.SETTLED, "nothing is in progress"


def stalled(s: Situation) -> Said:
    """A person must act, or nothing will ever serve; a rejection while another serves is not it."""
    if isinstance(s.desired, Refused):
        return TRUE, s.desired.reason, said_by(s.desired)
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
    if isinstance(s.desired, Unknown):
        return _unknown(s)
    if isinstance(s.desired, Unresolved):
        meanwhile = f"; {progress(s)}" if s.candidate else ""
        return FALSE, s.desired.reason, said_by(s.desired) + meanwhile + kept(s)
    if isinstance(s.desired, Absent | Refused):
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
        (isinstance(s.desired, Refused), Summary.STALLED),
        (s.rejection is not None, Summary.REJECTED),
        (s.spec.suspend, Summary.SUSPENDED),
        (s.parked, Summary.HELD),
        (bool(s.candidate), Summary.ROLLING_OUT),
        (s.serving is None or s.ready == 0, Summary.WAITING),
        (s.bakes_until is not None, Summary.BAKING),
    )
    return next((word for applies, word in ordered if applies), Summary.SERVING)


def _unknown(s: Situation) -> Said:
    """Unknown only once the outage lasted; before the first answer what was said stays said."""
    assert isinstance(s.desired, Unknown)
    old = next((c for c in s.before if c["type"] == Condition.ALIAS_IN_SYNC), None)
    if s.desired.since is None and old is not None:
        return old["status"], old["reason"], old["message"]
    meanwhile = kept(s)
    if s.rejection:
        meanwhile = f"; {rejected(s)}"
    elif s.candidate:
        meanwhile = f"; {progress(s)}{meanwhile}"
    return UNKNOWN, s.desired.reason, said_by(s.desired) + meanwhile
