"""Two plans, field by field, as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.record.codec import MARK

ABSENT = "absent"
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
        was, would = (json.dumps(each, ensure_ascii=False) for each in (self.was, self.would))
        return f"{self.field}: {was} would be {would}"


def differences(was: Any, would: Any) -> list[FieldDifference]:
    """Between what two versions decided; both as plain data of the record."""
    before, after = dict(_leaves("", was)), dict(_leaves("", would))
    fields = [*before, *(field for field in after if field not in before)]
    return [
        FieldDifference(field, before.get(field, ABSENT), after.get(field, ABSENT))
        for field in sorted(fields, key=lambda field: not field.startswith(_FIRST_ASKED))
        if before.get(field, ABSENT) != after.get(field, ABSENT)
    ]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and MARK in value:
        kind, made_from = value[MARK]
        if isinstance(made_from, dict) and path:
            yield path, kind
        value = dict(made_from) if kind == "dict" else made_from
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, each)
    elif isinstance(value, list) and value:
        for name, each in _named(value):
            yield from _leaves(f"{path}[{name}]", each)
    else:
        yield path, value


def _named(entries: list[Any]) -> list[tuple[str, Any]]:
    """Entries by their type or name, as conditions and containers are; else by their place."""
    for key in ("type", "name"):
        names = [each.get(key) if isinstance(each, dict) else None for each in entries]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return list(zip(map(str, names), entries, strict=True))
    return [(str(number), each) for number, each in enumerate(entries)]
