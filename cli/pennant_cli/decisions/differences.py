"""Two plans, field by field, as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.record.codec import MARK

ABSENT = "absent"
TEXT_LIMIT = 120  # characters of a value, in text
_FIRST_ASKED = ("status.summary", "writes")  # what a person asks for first


@dataclass(frozen=True)
class FieldDifference:
    """One field that would be another."""

    field: str
    was: Any
    would: Any

    @property
    def sentence(self) -> str:
        """As a line."""
        return f"{self.field}: {_text(self.was)} would be {_text(self.would)}"


def differences(was: Any, would: Any) -> list[FieldDifference]:
    """Between what two versions decided; both as plain data of the record."""
    each_field = list(_between("", _plain(was), _plain(would)))
    return sorted(each_field, key=lambda each: not each.field.startswith(_FIRST_ASKED))


def _between(path: str, was: Any, would: Any) -> Iterator[FieldDifference]:
    if was == would:
        return
    if isinstance(was, list) and isinstance(would, list):
        before, after, form = _by_name(was), _by_name(would), "{}[{}]"
    elif isinstance(was, dict) and isinstance(would, dict):
        before, after, form = was, would, "{}.{}" if path else "{}{}"
    else:
        yield FieldDifference(path, was, would)
        return
    if list(before) != list(after) and before.keys() == after.keys() and form == "{}[{}]":
        yield FieldDifference(f"{path}, in order", ", ".join(before), ", ".join(after))
    for name in before | after:
        field = form.format(path, name)
        yield from _between(field, before.get(name, ABSENT), after.get(name, ABSENT))


def _by_name(entries: list[Any]) -> dict[str, Any]:
    """Entries by what each is called, where all are and each otherwise; else by their places."""
    names = [_name(entry) for entry in entries]
    if None in names or len(set(names)) < len(names):
        names = [str(number) for number in range(len(entries))]
    return dict(zip(map(str, names), entries, strict=True))


def _name(entry: Any) -> str | None:
    """Of a write: verb, kind and name; of a condition or an Event, its type or its reason."""
    if not isinstance(entry, dict):
        return None
    verb, obj = entry.get("is"), entry.get("manifest") or entry.get("action")
    if obj is not None:
        return f"{verb} {obj['kind']}/{obj['metadata']['name']}"
    if verb is not None and "kind" in entry:
        return f"{verb} {entry['kind']}/{entry['name']}"
    names = (entry.get(key) for key in (("reason",) if verb else ("type", "name")))
    return next((name for name in names if isinstance(name, str)), None)


def _plain(value: Any) -> Any:
    """Without the marks of the record; what a dataclass is called is one of its fields, `is`."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {name: _plain(each) for name, each in value.items()}
    kind, made_from = value[MARK]
    if kind == "dict":
        return {name: _plain(each) for name, each in made_from}
    named = {"is": kind} if isinstance(made_from, dict) else {}
    return named | _plain(made_from) if named else _plain(made_from)


def _text(value: Any) -> str:
    if value == ABSENT:
        return ABSENT
    if isinstance(value, dict | list) and value:
        return "{...}" if isinstance(value, dict) else "[...]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}..."
