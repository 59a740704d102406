"""What a hold is, and how the tag that makes one is written and read. Pure: the operator's too.

A person may write the tag by hand, so whatever stands in it holds: plain text is the reason, and
what cannot be read says so. Only deleting the tag, or its own end, ends a hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pennant_registry.names import TAG_HOLD, VERSION_LIMIT, version_problem

HOLD_REASON_LIMIT = 1000  # characters of a reason
HOLD_AUTHOR_LIMIT = 200  # characters of who it is by
LET_THROUGH_LIMIT = 50  # versions that one hold lets through; the oldest are let through no more
NO_REASON = "no reason is given"


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing new of an alias goes out, or one version does not, until somebody ends it; by `by`,
    from `since` to `until`, which are in UTC. Who writes the tag by hand says only why."""

    reason: str
    by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    version: str | None = None
    """The only one that it is on; None: it is on the alias."""
    let_through: tuple[str, ...] = ()
    """Versions that it is not on: somebody said why they go out all the same."""
    tag: str = ""

    def in_force(self, now: datetime) -> bool:
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        since = f" since {time_text(self.since)}" if self.since else ""
        until = f" until {time_text(self.until)}" if self.until else ""
        return f"held in the registry{by}{since}{until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Holds:
    """Those of one alias or stage: on itself, and on versions of it, by their numbers."""

    whole: Hold | None = None
    by_version: Mapping[str, Hold] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        """The versions that are on hold by themselves; empty text: all of it is."""
        return frozenset(self.by_version) | ({""} if self.whole else frozenset())

    def on(self, version: str, now: datetime) -> Hold | None:
        """The one that a version is under; its own first, which lasts longer."""
        return next(iter(self.every_on(version, now)), None)

    def every_on(self, version: str, now: datetime) -> tuple[Hold, ...]:
        """All that a version is under: that on itself, and that on the alias."""
        each = self.by_version.get(version), self.whole
        in_force = (hold for hold in each if hold is not None and hold.in_force(now))
        return tuple(hold for hold in in_force if version not in hold.let_through)


NO_HOLDS = Holds()


def hold_tag(suffix: str, version: str | None = None) -> str:
    """The key of a registered model's tag; no alias holds a dot, and no stage is a number."""
    return f"{TAG_HOLD}.{suffix}" + (f".{version}" if version else "")


def holds_among(tags: Mapping[str, str], suffix: str) -> Holds:
    """Those that a registered model's tags make of the alias or stage of this suffix."""
    key = hold_tag(suffix)
    whole = replace(read_hold(tags[key]), tag=key) if key in tags else None
    by_version = {
        version: replace(read_hold(text), version=version, tag=tag)
        for tag, text in tags.items()
        if (version := tag.removeprefix(f"{key}.")) != tag and version_problem(version) is None
    }
    return Holds(whole, by_version)


def read_hold(text: str) -> Hold:
    """Whatever it is, it is a hold."""
    if not text.lstrip().startswith("{"):
        return Hold(one_line(text, HOLD_REASON_LIMIT) or NO_REASON)
    try:
        return _read(json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        why = one_line(str(error), 100)
        return Hold(
            f"what its tag says cannot be read ({why}): write why in plain text, or hold it anew "
            "with pennant_registry.hold"
        )


def hold_text(hold: Hold) -> str:
    """The value of its tag."""
    entry = {
        "reason": hold.reason,
        "by": hold.by,
        "since": time_text(hold.since) if hold.since else None,
        "until": time_text(hold.until) if hold.until else None,
        "except": list(hold.let_through[-LET_THROUGH_LIMIT:]) or None,
    }
    return json.dumps({k: v for k, v in entry.items() if v is not None}, ensure_ascii=False)


def one_line(text: str, limit: int) -> str:
    """What somebody wrote, as a part of a message: nothing in it moves a terminal's cursor."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def time_text(moment: datetime) -> str:
    """RFC 3339, to the second."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _read(entry: dict[str, Any]) -> Hold:
    """Raises ValueError, TypeError or OverflowError for what decides and cannot be read."""
    until, excepted = entry.get("until"), entry.get("except") or []
    if not isinstance(excepted, list):
        raise TypeError("except is no list of versions")
    return Hold(
        reason=_text(entry.get("reason"), HOLD_REASON_LIMIT) or NO_REASON,
        by=_text(entry.get("by"), HOLD_AUTHOR_LIMIT) or None,
        since=_since(entry.get("since")),
        until=None if until is None else _moment("until", until),
        let_through=tuple(_number(each) for each in excepted[-LET_THROUGH_LIMIT:]),
    )


def _text(given: Any, limit: int) -> str:
    return "" if given is None else one_line(str(given), limit)


def _number(given: Any) -> str:
    if version_problem(str(given)):
        raise ValueError(
            f"except names {given!r:.40}, which is no number from 1 to {VERSION_LIMIT}"
        )
    return str(given)


def _since(given: Any) -> datetime | None:
    """It decides nothing."""
    try:
        return None if given is None else _moment("since", given)
    except (ValueError, OverflowError):
        return None


def _moment(name: str, given: Any) -> datetime:
    example = "write such as 2026-12-01T08:00:00Z"
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        raise ValueError(f"{name} {given!r:.40} is no time: {example}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name} {given!r:.40} has no time zone: {example}")
    return moment.astimezone(UTC)
