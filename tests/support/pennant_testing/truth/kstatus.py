"""What Flux, Argo CD and `kubectl wait` make of a ModelDeployment, and whether that is so. Pure.

kstatus says Current, InProgress or Failed by the conditions alone. Whether that is right is judged
by the rest of the object, and by what a watch told of it before: which `spec` each revision was
begun for, and which question its desired version answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, NamedTuple, TypeAlias

Object: TypeAlias = dict[str, Any]
Verdict: TypeAlias = Callable[[Object], str]

CURRENT, IN_PROGRESS, FAILED = "Current", "InProgress", "Failed"
TERMINATING = "Terminating"
# Why Failed may be right although something serves: only a person can have the spec realised.
A_PERSONS = frozenset(
    {"InvalidSpec", "NameConflict", "NotAllowed", "RegistryNotFound", "WriteRefused"}
)


def verdict(obj: Object) -> str:
    """As sigs.k8s.io/cli-utils/pkg/kstatus/status has it for what is of no built-in kind."""
    meta, status = obj["metadata"], obj.get("status", {})
    if meta.get("deletionTimestamp"):
        return TERMINATING
    generation, seen = meta.get("generation"), status.get("observedGeneration")
    if None not in (generation, seen) and seen != generation:
        return IN_PROGRESS
    conditions = status.get("conditions", ())
    for each in conditions:
        if (each["type"], each["status"]) == ("Reconciling", "True"):
            return IN_PROGRESS
        if (each["type"], each["status"]) == ("Stalled", "True"):
            return FAILED
    for each in conditions:
        if each["type"] == "Ready" and each["status"] in {"True", "False", "Unknown"}:
            return CURRENT if each["status"] == "True" else IN_PROGRESS
    return CURRENT


class Wrong(NamedTuple):
    """One status by which kstatus says what is not so."""

    of: str
    verdict: str
    problem: str

    def __str__(self) -> str:
        return f"{self.of}: kstatus says {self.verdict}, and {self.problem}"


class VerdictTally(NamedTuple):
    """What the judges of one process, or of several, come to."""

    judged: int = 0
    wrong: int = 0

    def and_also(self, other: Sequence[int]) -> VerdictTally:
        """With those of a process that looked at other ModelDeployments."""
        return VerdictTally(self.judged + other[0], self.wrong + other[1])

    def __str__(self) -> str:
        return f"{self.judged} statuses judged, {self.wrong} wrong"


class Asked(NamedTuple):
    """What a spec asks for, of what a rollout can bring."""

    question: dict[str, str]
    serving: Object


class Judge:
    """Sees ModelDeployments as a watch tells of them, each of its states once and in order."""

    def __init__(self, verdict: Verdict = verdict) -> None:
        self._verdict = verdict
        self._specs: dict[tuple[str, int], Asked] = {}  # by uid and generation
        self._made: dict[tuple[str, str], Asked] = {}  # for what a revision was begun, by uid
        self._last: dict[str, tuple[int, Object]] = {}
        self.judged = 0
        self.wrong: list[Wrong] = []

    def saw(self, obj: Object, lost: Set[str] = frozenset()) -> Wrong | None:
        """What is wrong with this state, if anything.

        `lost`: revisions of which nobody can say any more what they were begun for.
        """
        meta, status = obj["metadata"], obj.get("status") or {}
        uid, news = meta["uid"], (meta["generation"], status)
        self._specs[uid, meta["generation"]] = asked(obj["spec"])
        if self._last.get(uid) == news:  # somebody wrote a label
            return None
        self._last[uid] = news
        decided = self._specs.get((uid, status.get("observedGeneration", -1)))
        for part in ("candidate", "serving"):
            revision = (status.get(part) or {}).get("revision")
            if revision and decided:
                self._made.setdefault((uid, revision), decided)
        verdict = self._verdict(obj)
        self.judged += 1
        problem = self._problem(obj, verdict, lost)
        if not problem:
            return None
        wrong = Wrong(f"{meta['namespace']}/{meta['name']} {uid}", verdict, problem)
        self.wrong.append(wrong)
        return wrong

    def tally(self) -> VerdictTally:
        """What all that was seen comes to."""
        return VerdictTally(self.judged, len(self.wrong))

    def _problem(self, obj: Object, verdict: str, lost: Set[str]) -> str:
        if verdict == FAILED:
            return _failed(obj["status"])
        if verdict == CURRENT:
            return _answers(obj) or self._realised(obj, lost)
        return ""

    def _realised(self, obj: Object, lost: Set[str]) -> str:
        """Whether what serves is what the spec asks for, or waits for something else than work."""
        spec, status, uid = obj["spec"], obj["status"], obj["metadata"]["uid"]
        if spec.get("suspend"):
            return ""
        now, serving = _asked_by_people(asked(spec), status), status["serving"]
        if status.get("resolved") != now.question:
            return f"no version was found for {now.question} yet"
        pinned = now.question.get("version")
        wanted = pinned or status.get("desired", {}).get("version")
        differs = wanted not in (None, serving["version"])
        if differs and (pinned or not (_is_explained(status) or self._rejected(obj))):
            return f"version {wanted} is asked for while {serving['version']} serves"
        made = self._made.get((uid, serving["revision"]))
        if made and made.serving != now.serving and serving["revision"] not in lost:
            return "what serves was begun for an earlier spec.serving"
        return ""

    def _rejected(self, obj: Object) -> bool:
        """Whether what is asked for was tried, and is not tried again by itself."""
        status, uid = obj["status"], obj["metadata"]["uid"]
        now = _asked_by_people(asked(obj["spec"]), status)
        wanted = now.question.get("version") or status.get("desired", {}).get("version")
        for entry in status.get("rejected", ()):
            made = self._made.get((uid, entry["revision"]))
            if entry["version"] == wanted and (not made or made.serving == now.serving):
                return True
        return False


def asked(spec: Object) -> Asked:
    """Of a ModelDeployment's spec."""
    model = spec.get("model", {})
    where = {"registry": spec.get("registry", "default"), "model": model.get("name", "")}
    pointer = {k: model[k] for k in ("alias", "stage", "version") if k in model}
    return Asked({**where, **pointer}, spec.get("serving", {}))


def _asked_by_people(now: Asked, status: Object) -> Asked:
    """A RolloutAction may pin a version in place of what the spec follows: then it is found."""
    resolved, of = status.get("resolved") or {}, ("registry", "model")
    same = all(resolved.get(name) == now.question[name] for name in of)
    pinned = "version" in resolved and "version" not in now.question
    return now._replace(question=resolved) if same and pinned else now


def _answers(obj: Object) -> str:
    status, size = obj["status"], obj["spec"].get("replicas", 1)
    if not status.get("serving"):
        return "nothing has the traffic"
    ready = status.get("readyReplicas", 0)
    if not ready:
        return "no pod answers"
    return f"{ready} of {size} pods are ready" if ready < size else ""


def _failed(status: Object) -> str:
    """Nothing in Git is at fault while another version answers."""
    reason = _reason(status, "Stalled")
    if not status.get("readyReplicas") or reason in A_PERSONS:
        return ""
    return f"version {status['serving']['version']} answers ({reason})"


def _is_explained(status: Object) -> bool:
    """Whether it says why an alias is at what does not serve, and that nobody brings it up.

    Held, rejected, refused, not to be found: that is not in Git. What is held, by its gates or for
    later, stays so while the registry is silent, of which AliasInSync tells then.
    """
    waits = status.get("gates") or status.get("hold")
    if waits or (status.get("candidate") or {}).get("retryTime"):
        return True
    in_sync = {c["type"]: c for c in status["conditions"]}.get("AliasInSync", {})
    return in_sync.get("status") == "False" and in_sync["reason"] not in {"RollingOut", "Suspended"}


def _reason(status: Object, kind: str) -> str:
    reasons = (c.get("reason", "") for c in status["conditions"] if c["type"] == kind)
    return next(reasons, "")
