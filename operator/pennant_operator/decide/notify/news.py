"""What became of a ModelDeployment between two statuses that somebody may want to know."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import Occasion

Status = dict[str, Any]
Entry = dict[str, Any]  # of `status.notifications`
MESSAGE_LIMIT = 500  # characters of the message of one of a status' notifications


def news_between(before: Status, after: Status, uid: str, now: datetime) -> list[Entry]:
    """An entry for each transition, oldest first, without whom it is for.

    A version that is held over and over is news once: `status.notifications` keeps what was sent
    of it as long as that version is desired.
    """
    resolved = after.get("resolved") or {}
    about = {
        "model": resolved.get("model", ""),
        "alias": resolved.get("alias") or resolved.get("stage") or "",
        "time": format_time(now),
    }
    entries = (*_rejected(before, after), *_traffic_moved(before, after), *_hold(before, after))
    return [{"id": _identity(uid, *identity), **about, **entry} for identity, entry in entries]


def hold_of(status: Status) -> tuple[str, str, str] | None:
    """Version, reason and message of what is held; the version is empty where none is desired."""
    if status.get("summary") != "Held":
        return None
    candidate = status.get("candidate") or {}
    if "retryTime" in candidate:
        return candidate["version"], candidate.get("reason", ""), candidate.get("message", "")
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    sync = conditions.get("AliasInSync", {})
    return _desired(status), sync.get("reason", ""), sync.get("message", "")


def is_held_still(entry: Entry, status: Status) -> bool:
    """Whether what an entry says of a hold is not to be news once more."""
    serving = (status.get("serving") or {}).get("version")
    if entry["occasion"] != Occasion.HELD or entry["version"] == serving:
        return False
    return bool(entry["version"] == _desired(status))


_News = tuple[tuple[str, ...], Entry]  # what tells it from any other, and the entry


def _rejected(before: Status, after: Status) -> Iterator[_News]:
    known = {(e["revision"], e["time"]) for e in before.get("rejected", ())}
    for each in reversed(after.get("rejected", ())):
        if (each["revision"], each["time"]) not in known:
            occasion, version = Occasion.REJECTED, each["version"]
            identity = occasion, each["revision"], each["time"]
            yield identity, _entry(occasion, version, each["reason"], each["message"])


def _traffic_moved(before: Status, after: Status) -> Iterator[_News]:
    old, new = before.get("serving") or {}, after.get("serving")
    if not new or _moment(old) == _moment(new):
        return
    occasion = Occasion.ROLLED_BACK if _went_back(old, new, after) else Occasion.SERVING
    entry = _entry(occasion, new["version"], "", "")
    if old:
        entry["previous"] = old["version"]
    yield (occasion, *_moment(new)), entry


def _moment(serving: Entry) -> tuple[str, str]:
    """What tells a move of the traffic from any other."""
    return serving.get("revision", ""), serving.get("since", "")


def _went_back(old: Entry, new: Entry, after: Status) -> bool:
    """To an older version, or away from one that is rejected."""
    if not old:
        return False
    numbers = [each["version"] for each in (new, old)]
    if all(number.isdecimal() for number in numbers) and int(numbers[0]) < int(numbers[1]):
        return True
    return any(each["revision"] == old["revision"] for each in after.get("rejected", ()))


def _hold(before: Status, after: Status) -> Iterator[_News]:
    now, last = hold_of(after), hold_of(before)
    if now is None or (last is not None and now[:2] == last[:2]):
        return
    known = (e for e in before.get("notifications", ()) if is_held_still(e, after))
    if any((e["version"], e.get("reason")) == now[:2] for e in known):
        return
    since = (after.get("desired") or {}).get("since", "")
    yield (Occasion.HELD, *now[:2], since), _entry(Occasion.HELD, *now)


def _entry(occasion: Occasion, version: str, reason: str, message: str) -> Entry:
    entry = {"occasion": str(occasion), "version": version}
    optional = {"reason": reason, "message": message[:MESSAGE_LIMIT]}
    return entry | {name: value for name, value in optional.items() if value}


def _desired(status: Status) -> str:
    return str((status.get("desired") or {}).get("version", ""))


def _identity(*parts: str) -> str:
    """The same however often it is decided anew."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
