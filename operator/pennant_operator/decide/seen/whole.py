"""Which parts of a status are whole: any other part counts as never written.

Another operator, older or newer, may have written it, or a person: the API server holds each field
to its type and calls for none of them.
"""

from typing import Any

from pennant_operator.decide.times import parse_time

_PARTS = {
    "desired": {"version"},
    "serving": {"version", "revision"},
    "candidate": {"version", "revision", "slot", "since"},
}
_LISTS = {
    "rejected": {"version", "revision", "reason", "message", "time"},
    "history": {"version", "revision", "result", "time"},
}
_TIMES = {"since", "time", "retryTime", "firstReadyTime"}


def whole(status: dict[str, Any] | None) -> dict[str, Any]:
    """A status as it can be decided from; the very same where all of it can."""
    found = dict(status or {})
    for part, needed in _PARTS.items():
        if part in found and not needed <= (kept := _kept(found[part])).keys():
            del found[part]
        elif part in found:
            found[part] = kept
    for name, needed in _LISTS.items():
        if name in found:
            entries = [_kept(entry) for entry in found[name]]
            found[name] = [entry for entry in entries if needed <= entry.keys()]
    return found


def _kept(part: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in part.items() if k not in _TIMES or _is_time(v)}


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True
