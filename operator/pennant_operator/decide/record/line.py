"""One decision as one line: what was seen, what was made of it, and what became of that."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from pennant_operator.decide.goal.gates import AskedGate, gates_as_known
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.record.mover import moved_by
from pennant_operator.decide.seen.memory import desired_version, memory_of
from pennant_operator.decide.seen.observed import Desired, ModelVersion, Object, Observed
from pennant_operator.decide.seen.peoples_word import spec_of
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.decide.seen.spec import InvalidSpecError, Spec
from pennant_operator.decide.vocabulary import Condition

DECISION_EVENT = "decision"
DECISION_FORMAT = 1
# The first of these that is not as it should be is the verdict; else that it is ready.
_VERDICTS = ((Condition.STALLED, "False"), (Condition.ALIAS_IN_SYNC, "True"))


# What became of a decision: it was done, or why not.
Result: TypeAlias = Literal["done", "conflict", "refused", "api", "fault", "fenced", "gone"]


@dataclass(frozen=True)
class Decision:
    """One pass over a ModelDeployment: its input, what was decided, and what became of it."""

    observed: Observed
    now: datetime
    planned: Plan  # what `plan` decided
    announced: Plan  # the same, or what was announced where it could not be done
    result: Result
    error: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name of the ModelDeployment."""
        meta = self.observed.owner["metadata"]
        return meta["namespace"], meta["name"]

    @property
    def changes_status(self) -> bool:
        """Whether another status was decided than there is."""
        if self.planned.status is None:
            return False
        after = {name: value for name, value in self.planned.status.items() if value is not None}
        return after != self.observed.owner.get("status")

    @property
    def is_news(self) -> bool:
        """Whether anything follows of it: a write, a status, an Event of what just changed."""
        lasting = all(event.lasting for event in self.planned.events)
        wrote = self.planned.writes or self.planned.reports
        return bool(wrote or self.changes_status or not lasting)


def decision_line(decision: Decision) -> dict[str, Any]:
    """All of it, in plain data; it has to be cut, and to be chained."""
    observed, planned = decision.observed, decision.planned
    meta, status = observed.owner["metadata"], _status_after(decision)
    line: dict[str, Any] = {
        "event": DECISION_EVENT,
        "format": DECISION_FORMAT,
        "time": _milliseconds(decision.now),
        "object": {name: meta[name] for name in ("namespace", "name", "uid")},
        "seen": _seen(observed, decision.now),
        "gates": [_gate(each) for each in _gates(observed, decision.now)],
        "verdict": _verdict(status),
        "serving": _serving(status),
        "writes": [_title(write) for write in (*planned.writes, *planned.reports)],
        "statusChanged": decision.changes_status,
        "events": [event.reason for event in planned.events],
        "result": decision.result,
        "error": decision.error,
    }
    return {name: value for name, value in line.items() if value not in ("", [], {})}


def _status_after(decision: Decision) -> dict[str, Any]:
    if decision.announced.status is not None:
        return decision.announced.status
    return sanitized_status(decision.observed.owner.get("status"))


def _milliseconds(moment: datetime) -> str:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text}Z"


def _spec(observed: Observed, now: datetime) -> Spec | None:
    try:
        return spec_of(observed, now)
    except InvalidSpecError:
        return None


def _seen(observed: Observed, now: datetime) -> dict[str, Any]:
    desired, spec = observed.desired, _spec(observed, now)
    seen: dict[str, Any] = {
        "version": desired_version(desired),
        **_answer(desired),
    }
    if spec is not None:
        watch = spec.watch
        seen = {
            "registry": watch.registry,
            "model": watch.model,
            "pointer": watch.pointer,
            **seen,
            "movedBy": moved_by(desired, watch, memory_of(observed.owner)),
        }
    return {name: value for name, value in seen.items() if value is not None}


def _answer(desired: Desired) -> dict[str, Any]:
    """What a registry says that is no version, or beside one that it says nothing of by now."""
    answer = desired.silence if isinstance(desired, ModelVersion) else desired
    if answer is None:
        return {"digest": desired.sha256} if isinstance(desired, ModelVersion) else {}
    return {"answer": type(answer).__name__, "reason": answer.reason, "message": answer.message}


def _gates(observed: Observed, now: datetime) -> tuple[AskedGate, ...]:
    spec = _spec(observed, now)
    if spec is None or not isinstance(observed.desired, ModelVersion):
        return ()
    return gates_as_known(observed, spec, observed.desired, now)


def _gate(asked: AskedGate) -> dict[str, str]:
    result = asked.result
    gate = {
        "gate": result.gate,
        "result": str(result.result),
        "value": result.value,
        "bound": result.bound,
        "registry": asked.registry or "",
    }
    return {name: value for name, value in gate.items() if value}


def _verdict(status: dict[str, Any]) -> dict[str, str]:
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    stands = (conditions.get(kind) for kind, good in _VERDICTS if not _is(conditions, kind, good))
    condition = next((each for each in stands if each), conditions.get(Condition.READY))
    if condition is None:
        return {}
    return {
        "summary": status.get("summary") or "",
        "reason": condition["reason"],
        "message": condition["message"],
    }


def _is(conditions: dict[str, Any], kind: str, status: str) -> bool:
    return bool(kind in conditions and conditions[kind]["status"] == status)


def _serving(status: dict[str, Any]) -> dict[str, str]:
    serving = status.get("serving") or {}
    return {name: serving[name] for name in ("version", "revision", "digest") if serving.get(name)}


def _title(write: Any) -> str:
    """Verb, kind and name."""
    verb, obj = type(write).__name__, _object_of(write)
    if obj is None:
        return f"{verb} {write.kind}/{write.name}"
    return f"{verb} {obj['kind']}/{obj['metadata']['name']}"


def _object_of(write: Any) -> Object | None:
    return getattr(write, "manifest", None) or getattr(write, "action", None)
