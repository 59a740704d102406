"""Events and history: what changed between the last status and the next one."""

from typing import Any

from pennant_operator.decide.intent import NORMAL, WARNING, Event
from pennant_operator.decide.seen.memory import MAX_STATUS_ENTRIES
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.vocabulary import Condition, EventReason, Reason, Summary

Status = dict[str, Any]
_HOLDS_BEFORE_PODS = {
    Reason.SOURCE_NOT_ALLOWED,
    Reason.CONFIGURATION_ERROR,
    Reason.IMAGE_NOT_ALLOWED,
    Reason.GATE_NOT_PASSED,
    Reason.HELD_IN_REGISTRY,
    Reason.HELD_BY_ACTION,
    Reason.BRAKED,
}


def events_of(spec: Spec, before: Status, after: Status) -> tuple[Event, ...]:
    """One event per transition, none while nothing changes."""
    events = (
        _alias_moved(spec, before, after),
        _rollout_started(before, after),
        _version_rejected(before, after),
        _rollout_held(before, after),
        _not_begun(before, after),
        _weight_changed(before, after),
        _traffic_moved(before, after),
        _answers_bad(before, after),
        _environment_differs(before, after),
        _bake_passed(before, after),
        _scaled_down(before, after),
        _serving_missing(before, after),
        stalled_event(before, after),
    )
    return tuple(event for event in events if event is not None)


def unreadable_records(records: tuple[str, ...]) -> tuple[Event, ...]:
    """One event for each record that tells nothing, as long as it is there."""
    cure = "it counts as absent: delete it, or run the operator that wrote it"
    return tuple(
        Event(
            WARNING,
            EventReason.RECORD_UNREADABLE,
            f"ControllerRevision {record}; {cure}",
            lasting=True,
        )
        for record in records
    )


def history_with(before: Status, after: Status) -> list[dict[str, Any]]:
    """The next history, newest first: what got the traffic, and what was rejected."""
    entries: list[dict[str, Any]] = list(before.get("history") or [])
    serving = after.get("serving")
    if serving and not _is_listed(entries, serving, "since"):
        entries.insert(0, _history_entry(serving, "Serving", serving["since"]))
    for rejected in after.get("rejected", ()):
        if not _is_listed(entries, rejected, "time"):
            entries.insert(0, _history_entry(rejected, "Rejected", rejected["time"]))
    return entries[:MAX_STATUS_ENTRIES]


def _is_listed(entries: list[dict[str, Any]], part: dict[str, Any], moment: str) -> bool:
    return any(e["revision"] == part["revision"] and e["time"] == part[moment] for e in entries)


def _history_entry(part: dict[str, Any], result: str, time: str) -> dict[str, Any]:
    fields = ("version", "revision", "digest", "environment", "reason")
    copied = {field: part[field] for field in fields if part.get(field)}
    return {**copied, "result": result, "time": time}


def _field(status: Status, part: str, field: str) -> Any:
    return (status.get(part) or {}).get(field)


def _alias_moved(spec: Spec, before: Status, after: Status) -> Event | None:
    old, new = _field(before, "desired", "version"), _field(after, "desired", "version")
    if new is None or new == old:
        return None
    was = f" (was {old})" if old else ""
    message = f"{spec.watch.pointer} {spec.watch.verb} version {new} of {spec.watch.model}{was}"
    return Event(NORMAL, EventReason.ALIAS_MOVED, message)


def _rollout_started(before: Status, after: Status) -> Event | None:
    new = after.get("candidate")
    if not new or _field(before, "candidate", "revision") == new["revision"]:
        return None
    version, slot = new["version"], new["slot"]
    message = f"version {version} comes up in slot {slot} (revision {new['revision']})"
    return Event(NORMAL, EventReason.ROLLOUT_STARTED, message)


def _version_rejected(before: Status, after: Status) -> Event | None:
    known = {(e["revision"], e["time"]) for e in before.get("rejected", ())}
    new = [e for e in after.get("rejected", ()) if (e["revision"], e["time"]) not in known]
    if not new:
        return None
    entry = new[0]
    message = f"version {entry['version']} was rejected ({entry['reason']}): {entry['message']}"
    return Event(WARNING, EventReason.VERSION_REJECTED, message)


def _rollout_held(before: Status, after: Status) -> Event | None:
    new = after.get("candidate") or {}
    if "retryTime" not in new or _field(before, "candidate", "retryTime") == new["retryTime"]:
        return None
    message = (
        f"version {new['version']} is held ({new['reason']}): {new['message']}; "
        f"next try at {new['retryTime']}"
    )
    return Event(WARNING, EventReason.ROLLOUT_HELD, message)


def _not_begun(before: Status, after: Status) -> Event | None:
    """A version that gets no pods: it is not allowed, or somebody or a gate holds it."""
    kind = Condition.ALIAS_IN_SYNC
    new, old = _condition(after, kind), _condition(before, kind)
    same = _field(before, "desired", "version") == _field(after, "desired", "version")
    # Where nothing serves, a source is Stalled, which has an Event of its own.
    stops = _condition(after, Condition.STALLED).get("status") == "True"
    known = same and old.get("reason") == new.get("reason")
    if new.get("reason") not in _HOLDS_BEFORE_PODS or known or stops:
        return None
    return Event(WARNING, EventReason.ROLLOUT_HELD, f"{new['reason']}: {new['message']}")


def _weight_changed(before: Status, after: Status) -> Event | None:
    """That it is taken away is told by what took it."""
    new, old = after.get("canary") or {}, before.get("canary") or {}
    same = (new.get("revision"), new.get("weight")) == (old.get("revision"), old.get("weight"))
    if "weight" not in new or same:
        return None
    version = _field(after, "candidate", "version")
    message = f"version {version} gets {new['weight']}% of the requests"
    return Event(NORMAL, EventReason.WEIGHT_CHANGED, message)


def _traffic_moved(before: Status, after: Status) -> Event | None:
    old, new = before.get("serving") or {}, after.get("serving")
    if not new or (old.get("revision"), old.get("since")) == (new["revision"], new["since"]):
        return None
    was = f" from version {old['version']}" if old else ""
    message = f"traffic moved{was} to version {new['version']} (revision {new['revision']})"
    return Event(NORMAL, EventReason.TRAFFIC_MOVED, message)


def _answers_bad(before: Status, after: Status) -> Event | None:
    """There is nothing to go back to, so that somebody should know."""
    reason = _field(after, "answers", "reason")
    if reason is None or _field(before, "answers", "reason") == reason:
        return None
    version, why = _field(after, "serving", "version"), _field(after, "answers", "message")
    message = (
        f"{reason}: {why}; version {version} keeps the traffic: there is nothing to go back to"
    )
    return Event(WARNING, EventReason.ANSWERS_BAD, message)


def _environment_differs(before: Status, after: Status) -> Event | None:
    """As its pods tell when they are first asked, in the bake."""
    differs, revision = (
        _field(after, "answers", "differences"),
        _field(after, "answers", "revision"),
    )
    known = _field(before, "answers", "revision") == revision
    if differs is None or (known and _field(before, "answers", "differences")):
        return None
    version = _field(after, "serving", "version")
    message = f"version {version} answers, and its bundle asks for {differs}"
    return Event(WARNING, EventReason.ENVIRONMENT_DIFFERS, message)


def _bake_passed(before: Status, after: Status) -> Event | None:
    if before.get("summary") != Summary.BAKING or after.get("summary") != Summary.SERVING:
        return None
    version = _field(after, "serving", "version")
    message = f"version {version} passed its bake; the previous revision's pods are released"
    return Event(NORMAL, EventReason.BAKE_PASSED, message)


def _scaled_down(before: Status, after: Status) -> Event | None:
    new = _condition(after, Condition.READY)
    old = _condition(before, Condition.READY)
    if new.get("reason") != Reason.SCALED_DOWN or old.get("reason") == Reason.SCALED_DOWN:
        return None
    return Event(NORMAL, EventReason.SCALED_DOWN, str(new["message"]))


def _serving_missing(before: Status, after: Status) -> Event | None:
    reason = Reason.SERVING_VERSION_MISSING
    new, old = (_condition(status, Condition.ALIAS_IN_SYNC) for status in (after, before))
    if new.get("reason") != reason or old.get("reason") == reason:
        return None
    return Event(WARNING, EventReason.SERVING_VERSION_MISSING, str(new["message"]))


def stalled_event(before: Status, after: Status) -> Event | None:
    """The event when a person must act."""
    new, old = _condition(after, Condition.STALLED), _condition(before, Condition.STALLED)
    if new.get("status") != "True" or old.get("reason") == new.get("reason"):
        return None
    return Event(WARNING, EventReason.STALLED, f"{new['reason']}: {new['message']}")


def _condition(status: Status, kind: Condition) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((c for c in conditions if c["type"] == kind), {})
