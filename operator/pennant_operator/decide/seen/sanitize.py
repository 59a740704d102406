"""Which parts of a status are whole: any other part counts as never written.

Another operator, older or newer, may have written it, or a person: the API server holds each field
to its type and calls for none of them.
"""

import math
from typing import Any

from pennant_operator.decide.seen.actions import State
from pennant_operator.decide.times import parse_time

_REQUIRED_IN_PARTS = {
    "desired": {"version"},
    "serving": {"version", "revision"},
    "alongside": {"version", "revision", "since"},
    "candidate": {"version", "revision", "slot", "since"},
    "hold": {"tag", "reason"},
    "answers": {"revision"},
    "canary": {"revision", "stepsPassed"},
    "mirror": {"to"},
    "line": {"revision", "since", "ahead"},
    "beforeBrake": {"version", "since"},
    "approved": {"version", "revision"},
    "action": {"uid", "state", "message"},
}
_REQUIRED_IN_ENTRIES = {
    "rejected": {"version", "revision", "reason", "message", "time"},
    "notifications": {"id", "occasion", "registry", "version", "time"},
    "history": {"version", "revision", "result", "time"},
    "conditions": {"type", "status", "reason", "message", "lastTransitionTime"},
}
_OUTCOMES = {State.DONE, State.REFUSED}  # `state` of the part `action`
_TIME_FIELDS = frozenset(
    (
        *("since", "time", "retryTime", "firstReadyTime", "shortSince", "notReadySince"),
        *("until", "lastTransitionTime"),
    )
)


def sanitized_status(status: dict[str, Any] | None) -> dict[str, Any]:
    """A status as it can be decided from; the very same where all of it can."""
    sanitized = dict(status or {})
    for name, required in _REQUIRED_IN_PARTS.items():
        if name in sanitized:
            part = _without_bad_times(sanitized[name])
            if required <= part.keys() and part.get("state", State.DONE) in _OUTCOMES:
                sanitized[name] = part
            else:
                del sanitized[name]
    for name, required in _REQUIRED_IN_ENTRIES.items():
        if name in sanitized:
            entries = [_without_bad_times(entry) for entry in sanitized[name]]
            sanitized[name] = [entry for entry in entries if required <= entry.keys()]
    for name in {"answers", "canary"} & sanitized.keys():
        sanitized[name] = _without_bad_medians(sanitized[name])
    return sanitized


def _without_bad_medians(answers: dict[str, Any]) -> dict[str, Any]:
    names = ("baseline", "serving", "candidate")
    parts = {name: dict(answers[name]) for name in names if answers.get(name)}
    for part in parts.values():
        if "medianSeconds" in part and not _is_number(part["medianSeconds"]):
            del part["medianSeconds"]
    return {**answers, **parts}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _without_bad_times(part: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in part.items() if k not in _TIME_FIELDS or _is_time(v)}


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True
