"""The four conditions, the Status word and their messages, from one situation.

Each message says what is the case, why, and what happens or is to be done next.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pennant_operator.decide.observed import Absent, Desired, ModelVersion, Refused, Unknown
from pennant_operator.decide.spec import Spec
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdicts import Verdict, Waiting
from pennant_operator.decide.vocabulary import Condition, Reason, Summary

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
Said = tuple[str, Reason | str, str]  # status, reason, message


@dataclass(frozen=True)
class Situation:
    """All that the conditions depend on, after this plan's writes."""

    spec: Spec
    desired: Desired
    serving: str | None = None  # version that has the traffic
    ready: int = 0  # its ready pods
    in_sync: bool = False  # what has the traffic is what is desired
    candidate: dict[str, Any] = field(default_factory=dict)
    parked: bool = False
    verdict: Verdict | None = None
    rejection: dict[str, Any] | None = None  # of the desired revision
    withdrawn: bool = False  # the alias was removed, and with ScaleDown nothing serves since
    baking: bool = False
    before: list[dict[str, Any]] = field(default_factory=list)  # the conditions so far


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
        if told is not None
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
        told = f"nothing serves, because {why} and spec.onAliasRemoved is ScaleDown: {_progress(s)}"
        return FALSE, Reason.SCALED_DOWN, told
    if s.serving is None:
        return FALSE, Reason.NOTHING_SERVED_YET, f"no version has served yet: {_progress(s)}"
    of = f"{s.ready} of {s.spec.replicas} pods"
    if s.ready:
        return TRUE, Reason.SERVING, f"version {s.serving} answers on {of}"
    if s.spec.replicas == 0:
        return (
            FALSE,
            Reason.SCALED_TO_ZERO,
            "spec.replicas is 0: nothing answers, nothing is proved",
        )
    return FALSE, Reason.NO_POD_READY, f"version {s.serving} has the traffic and {of} ready"


def reconciling(s: Situation) -> Said:
    """Work is in progress: a rollout, or a size not reached yet. A bake is not."""
    if s.candidate and not s.parked and s.rejection is None:
        return TRUE, Reason.ROLLING_OUT, _progress(s)
    if s.serving is not None and s.ready < s.spec.replicas:
        return TRUE, Reason.SCALING, f"{s.ready} of {s.spec.replicas} pods are ready"
    return FALSE, Reason.SETTLED, "nothing is in progress"


def stalled(s: Situation) -> Said:
    """A person must act, or nothing will ever serve; a rejection while another serves is not it."""
    if isinstance(s.desired, Refused):
        return TRUE, s.desired.reason, s.desired.message
    if s.rejection and s.serving is None:
        return TRUE, Reason.REJECTED, _rejected(s)
    return FALSE, Reason.NOT_STALLED, "no action is needed"


def alias_in_sync(s: Situation) -> Said | None:
    """What serves is what is desired; None: leave the condition out until something is known."""
    if isinstance(s.desired, Unknown):
        return _unknown(s)
    if isinstance(s.desired, Absent | Refused):
        return FALSE, s.desired.reason, s.desired.message.rstrip(". ") + kept(s.serving)
    if s.in_sync:
        pinned = s.spec.watch.version is not None
        return TRUE, Reason.PINNED if pinned else Reason.IN_SYNC, _pointer(s, "serves")
    pointer = _pointer(s, "is wanted")
    if s.rejection:
        return FALSE, Reason.REJECTED, f"{pointer}; {_rejected(s)}"
    if s.spec.suspend:
        return FALSE, Reason.SUSPENDED, f"{pointer}; spec.suspend is true, so nothing is rolled out"
    if s.parked:
        return FALSE, Reason.HELD, f"{pointer}; {_progress(s)}"
    return FALSE, Reason.ROLLING_OUT, f"{pointer}; {_progress(s)}"


def summary(s: Situation) -> Summary:
    """One word: what a person should know first."""
    ordered = (
        (isinstance(s.desired, Refused), Summary.STALLED),
        (s.rejection is not None, Summary.REJECTED),
        (s.spec.suspend, Summary.SUSPENDED),
        (s.parked, Summary.HELD),
        (bool(s.candidate), Summary.ROLLING_OUT),
        (s.serving is None or s.ready == 0, Summary.WAITING),
        (s.baking, Summary.BAKING),
    )
    return next((word for applies, word in ordered if applies), Summary.SERVING)


def kept(serving: str | None) -> str:
    """What goes on while something else does not; empty when nothing serves."""
    return f"; version {serving} goes on serving" if serving else ""


def _unknown(s: Situation) -> Said | None:
    """Unknown only once the outage lasted; before the first answer what was said stays said."""
    assert isinstance(s.desired, Unknown)
    old = next((c for c in s.before if c["type"] == Condition.ALIAS_IN_SYNC), None)
    if s.desired.since is None and old is not None:
        return old["status"], old["reason"], old["message"]
    return UNKNOWN, s.desired.reason, s.desired.message.rstrip(". ") + kept(s.serving)


def _pointer(s: Situation, what: str) -> str:
    """What points at which version; a stage may hold several, and the highest counts."""
    assert isinstance(s.desired, ModelVersion)
    version, watch = s.desired.version, s.spec.watch
    if s.desired.beside:
        lower = ", ".join(reversed(s.desired.beside))
        return f"{watch.pointer} holds versions {lower} and {version}; the highest {what}"
    which = f", which {what}" if s.in_sync else ""
    return f"{watch.pointer} {watch.verb} version {version}{which}"


def _rejected(s: Situation) -> str:
    assert s.rejection is not None
    goes_on = f"version {s.serving} goes on serving" if s.serving else "nothing serves"
    version = s.rejection["version"]
    cure = s.spec.watch.cure(version)
    return (
        f"version {version} was rejected ({s.rejection['reason']}): "
        f"{s.rejection['message']}; {goes_on}; {cure}"
    )


def _progress(s: Situation) -> str:
    """What the candidate does, or why there is none."""
    if s.rejection and s.serving is None:
        return _rejected(s)
    if not s.candidate:
        return getattr(s.desired, "message", "no rollout has started")
    version = s.candidate["version"]
    if s.parked:
        return (
            f"version {version} is held ({s.candidate['reason']}): {s.candidate['message']}; "
            f"next try at {s.candidate['retryTime']}"
        )
    if isinstance(s.verdict, Waiting):
        return f"version {version} is coming up, phase {s.verdict.phase}: {s.verdict.message}"
    return f"version {version} is coming up in slot {s.candidate['slot']}"
