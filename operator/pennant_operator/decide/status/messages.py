"""What messages are made of: each part says what is the case, why, or what is to be done."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pennant_operator.decide.goal.gates import AskedGate
from pennant_operator.decide.seen.observed import (
    Absent,
    Desired,
    ModelVersion,
    Refused,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.status.shares import canary_message
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Verdict, Waiting
from pennant_registry.gates import Result
from pennant_registry.hold_form import Hold

MAX_SHOWN_VERSIONS = 10  # versions beside the desired one in its stage, which may hold any number
UNPROVED = (
    "spec.replicas is 0, so nothing can prove it: its rollout starts when it is set to 1 or more"
)


@dataclass(frozen=True)
class Situation:
    """All that the conditions depend on, after this plan's writes."""

    spec: Spec
    desired: Desired
    serving: str | None = None  # version that has the traffic
    ready: int = 0  # ready pods that have traffic
    alongside: dict[str, Any] = field(default_factory=dict)  # status.alongside
    alongside_ready: int = 0  # of the ready pods, those of what has a part of the traffic
    rolls: bool = False  # by spec.rollout.strategy: then nothing is warm after a rollout
    missing: bool = False  # that version was deleted in the registry
    trouble: str = ""  # why not all of its pods are ready
    in_sync: bool = False  # what has the traffic is what is desired
    edited: bool = False  # what has the traffic is of an earlier spec
    candidate: dict[str, Any] = field(default_factory=dict)
    room: str = ""  # whose pods the candidate's slot still has
    hand_over: str = ""  # what it waits for, where what serves makes way for it
    held_up: str = ""  # since when requests wait in the lobby, where nothing answers
    back: bool = False  # the candidate is what traffic goes back to after a crash
    start: bool = False  # it is the last good version, tried where the desired one was rejected
    parked: bool = False
    verdict: Verdict | None = None
    rejection: dict[str, Any] | None = None  # of the desired revision
    registry_hold: Hold | None = None  # in the registry, on the desired version
    gates: tuple[AskedGate, ...] = ()  # what they say, where one of them holds the desired version
    braked: bool = False  # the ModelRegistry's brake keeps it from being rolled out
    line: dict[str, Any] = field(default_factory=dict)  # where it waits for its turn
    withdrawn: bool = False  # the alias was removed, and with ScaleDown nothing serves since
    bakes_until: datetime | None = None  # what had the traffic stays warm until then
    answers: dict[str, Any] = field(default_factory=dict)  # status.answers
    canary: dict[str, Any] = field(default_factory=dict)  # status.canary
    hindrance: str = ""  # why it gets all of the traffic at once where a share was asked for
    before: list[dict[str, Any]] = field(default_factory=list)  # the conditions so far
    same_spec: bool = True  # and they were judged by the spec as it is now

    @property
    def silence(self) -> Unknown | Unresolved | None:
        """What is said of a registry that does not say, whatever it said before."""
        if isinstance(self.desired, ModelVersion):
            return self.desired.silence
        return self.desired if isinstance(self.desired, Unknown) else None


def desired_message(desired: Absent | Refused | Unknown | Unresolved) -> str:
    """What the registry's side says, as a part of a sentence."""
    return desired.message.rstrip(". ")


def pointer_message(s: Situation, what: str) -> str:
    """What says which version is desired; a stage may hold several, and the highest counts."""
    assert isinstance(s.desired, ModelVersion)
    watch, version = s.spec.watch, s.desired.version
    if s.desired.beside:
        more = ("…",) if len(s.desired.beside) > MAX_SHOWN_VERSIONS else ()
        lower = ", ".join((*more, *reversed(s.desired.beside[:MAX_SHOWN_VERSIONS])))
        return f"{watch.pointer} holds versions {lower} and {version}; the highest {what}"
    return f"{watch.pointer} {watch.verb} version {version}, which {what}"


def serving_meanwhile(s: Situation) -> str:
    """What goes on meanwhile; empty when nothing is to serve."""
    if s.serving is None or not (s.ready or s.spec.replicas):
        return ""
    of_another = s.back and not s.spec.halted  # what goes before tells of the way back
    who = f"version {s.serving}"
    if _is_new_revision(s) and not of_another:
        who = "its previous revision"
    beside = alongside_message(s)
    return (
        f"; {who} {'goes on serving' if s.ready else 'has the traffic, and no ready pod'}{beside}"
    )


def alongside_message(s: Situation) -> str:
    """That what is not coming up has a part of the traffic; empty where nothing else has any."""
    comes = s.candidate.get("revision") == s.alongside.get("revision") and not s.parked
    if not s.alongside or comes:
        return ""
    return f", and version {s.alongside['version']} has a part of the traffic"


def warm_message(s: Situation) -> str:
    """How long going back takes no start."""
    if s.bakes_until is None:
        return "; nothing stays warm (strategy Rolling): going back takes the same steps" * s.rolls
    return f"; what served before stays warm until {format_time(s.bakes_until)}"


def missing_message(s: Situation) -> str:
    """What serves was deleted, what that means, and what a person can do."""
    return (
        f"version {s.serving} has the traffic, and was deleted in the registry: its pods go on "
        "with what they fetched, and new ones may find nothing to fetch; promote another version, "
        "or register its bytes anew"
    )


def answers_message(s: Situation) -> str:
    """What is wrong with its answers where nothing can be done, or why nobody knows of them."""
    if "reason" in s.answers:
        return f"; {s.answers.get('message', '')}, and there is nothing to go back to"
    if "unread" in s.answers:
        return f"; nothing is known of how it answers: {s.answers['unread']}"
    return ""


def action_hold_message(s: Situation) -> str:
    """That what comes next waits for a person."""
    return f"; {s.spec.hold} holds what comes next" if s.spec.hold else ""


def rejection_message(s: Situation, *, named: bool = True) -> str:
    """Why the desired version is not tried, and what a person can do."""
    assert s.rejection is not None
    version = s.rejection["version"]
    meanwhile = serving_meanwhile(s) or "; nothing serves"
    if (s.back or s.start) and s.candidate:
        meanwhile = f"; {progress_message(s)}"
    elif s.in_sync:
        meanwhile = "; it keeps the traffic, because there is nothing to go back to"
    cure = s.spec.watch.cure(version)
    who = f"{_version_name(s, version)} was" if named else "was"
    return f"{who} rejected ({s.rejection['reason']}): {s.rejection['message']}{meanwhile}; {cure}"


def registry_hold_message(s: Situation, *, named: bool = True) -> str:
    """Who holds the desired version in the registry, why and until when, and how that ends."""
    assert isinstance(s.desired, ModelVersion)
    assert s.registry_hold is not None
    who = f"version {s.desired.version} is" if named else "is"
    ends = (
        f"delete the registered model's tag {s.registry_hold.tag}, or call pennant_registry.release"
    )
    besides = "; spec.suspend is true, too" if s.spec.suspend else ""
    return f"{who} {s.registry_hold}; to let it go, {ends}{besides}"


def gates_message(s: Situation, *, named: bool = True) -> str:
    """Every gate that does not let the desired version through, and when they are asked again."""
    assert isinstance(s.desired, ModelVersion)
    refusing = [gate for gate in s.gates if gate.result.result is not Result.PASSED]
    reasons = "; ".join(gate.message for gate in refusing)
    who = f"version {s.desired.version} is" if named else "is"
    return f"{who} held by its gates: {reasons}; {_asked_again(refusing)}"


def brake_message(s: Situation) -> str:
    """Why nothing is rolled out, the same for everybody and as long as it lasts."""
    return (
        f"the brake of ModelRegistry {s.spec.watch.registry} holds: too many aliases moved or "
        "vanished at once, as when a database is restored or emptied; its condition Braked says "
        "which, and what ends it (kubectl describe modelregistry "
        f"{s.spec.watch.registry}, in the operator's namespace)"
    )


def line_message(s: Situation) -> str:
    """What it waits for, and its place when it came."""
    line, registry = s.line, s.spec.watch.registry
    others = "1 other came" if line["ahead"] == 1 else f"{line['ahead']} others came"
    return (
        f"waits for its turn since {line['since']}, when {others} before it: {line['limit']} "
        f"rollouts of ModelRegistry {registry} may go on at once (its "
        "spec.maxConcurrentRollouts); it starts by itself, the oldest move first"
    )


def _asked_again(refusing: list[AskedGate]) -> str:
    if all(gate.result.until for gate in refusing):
        return "its rollout starts then"
    return "they are asked again when its tags change, and at most 10 minutes apart"


def progress_message(s: Situation) -> str:
    """What the candidate does, or why there is none."""
    if not s.candidate:
        return _no_candidate(s)
    who, slot = _version_name(s, s.candidate["version"]), s.candidate["slot"]
    if s.start:
        who = f"{who}, by its tag the last good one here,"
    if s.parked:
        return (
            f"{who} is held ({s.candidate['reason']}): {s.candidate['message']}; "
            f"it is tried again at {s.candidate['retryTime']}"
        )
    if s.room:
        return f"{who} waits for room in slot {slot}: {s.room}"
    if s.hand_over:
        return f"{who} {s.hand_over}{recreate_message(s)}"
    if s.alongside and s.candidate["revision"] == s.alongside.get("revision"):
        return f"{who} takes over in steps, and both versions answer meanwhile{_phase(s)}"
    what = (
        f"traffic goes back to {who} when all its pods are ready"
        if s.back
        else f"{who} comes up in slot {slot} and gets the traffic when all its pods are ready"
    )
    if s.canary:
        what = canary_message(who, s.canary, s.spec)
    if s.hindrance:
        what = f"{what}, all of it at once: {s.hindrance}"
    return what + _phase(s)


def _phase(s: Situation) -> str:
    if isinstance(s.verdict, Waiting):
        return f"; phase {s.verdict.phase}: {s.verdict.message}{recreate_message(s)}"
    return recreate_message(s)


def recreate_message(s: Situation) -> str:
    """Why Auto rolls out as it does, where room decided that."""
    why = s.candidate.get("strategyReason")
    return f"; Auto takes it as {s.candidate['strategy']}: it {why}" if why else ""


def _is_new_revision(s: Situation) -> bool:
    """The desired version serves, but not as it is to be now: the spec changed, or the version."""
    version = s.desired.version if isinstance(s.desired, ModelVersion) else None
    wanted = version or s.candidate.get("version")
    return s.serving is not None and s.serving == wanted and not s.in_sync


def _version_name(s: Situation, version: str) -> str:
    new = _is_new_revision(s) and version == s.serving
    return f"a new revision of version {version}" if new else f"version {version}"


def _no_candidate(s: Situation) -> str:
    if s.rejection:
        return rejection_message(s)
    if not isinstance(s.desired, ModelVersion):
        return desired_message(s.desired)
    if s.registry_hold:
        return registry_hold_message(s)
    if s.spec.suspend:
        return "spec.suspend is true, and nothing is rolled out until it is false"
    if s.spec.replicas == 0:
        return UNPROVED
    if s.braked:
        return f"version {s.desired.version} is not rolled out: {brake_message(s)}"
    if s.spec.hold:
        return f"{s.spec.hold} holds what is new: delete it to have it rolled out"
    if s.gates:
        return gates_message(s)
    if s.line:
        return f"{_version_name(s, s.desired.version)} {line_message(s)}"
    return "its rollout starts next"
