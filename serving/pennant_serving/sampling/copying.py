"""Copies of values that are small enough for a line of the log, and lack what is redacted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pennant_serving.codecs.jsonio import dump
from pennant_serving.errors import PredictFailed

REDACTED = "[redacted]"
TEXT_LIMIT_CHARACTERS = 400
"""Characters of one text."""
NESTING_LIMIT = 8
"""Lists and objects within each other; what lies deeper is left out."""
VALUE_OVERHEAD_BYTES = 4
"""Bytes that each value takes beside its own, and that bound the number of values."""
SEQUENCES = (list, tuple, set, frozenset)


class Copier:
    """Copies until about `room` bytes of JSON are used up; where it stopped, it says so."""

    def __init__(self, redact: frozenset[str], room: int) -> None:
        self._redact = redact
        self._room = room

    def rows(self, values: Sequence[Any], columns: Sequence[str]) -> list[Any]:
        """Rows as objects. Those that the columns do not fit have values without a name: they are
        left out when there is something to redact, because it may be among them."""
        copied: list[Any] = []
        for place, row in enumerate(values):
            if self._room <= 0:
                copied.append(f"[and {len(values) - place} more]")
                break
            copied.append(self._row(row, columns))
        return copied

    def value(self, value: Any, depth: int = 0) -> Any:
        """Anything, as JSON can hold it."""
        if depth > NESTING_LIMIT:
            return "[too deep]"
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        if isinstance(value, dict):
            self._room -= VALUE_OVERHEAD_BYTES
            return self._object(value.items(), len(value), depth + 1)
        if isinstance(value, SEQUENCES) or (isinstance(value, np.ndarray) and value.ndim):
            self._room -= VALUE_OVERHEAD_BYTES
            return self._list(value, depth + 1)
        return self._leaf(value)

    def _row(self, row: Any, columns: Sequence[str]) -> Any:
        cells = row if isinstance(row, (list, tuple, np.ndarray)) else [row]
        if len(columns) == len(cells) and not isinstance(row, dict):
            return self._object(zip(columns, cells, strict=True), len(columns), 1)
        if self._redact and not isinstance(row, dict):
            self._room -= len(REDACTED)
            return REDACTED
        return self.value(row)

    def _object(self, items: Iterable[tuple[Any, Any]], count: int, depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for place, (name, each) in enumerate(items):
            if self._room <= 0:
                copied["..."] = f"[and {count - place} more]"
                break
            key = self._leaf(str(name))
            copied[key] = REDACTED if str(name) in self._redact else self.value(each, depth)
        return copied

    def _list(self, values: Any, depth: int) -> list[Any]:
        copied: list[Any] = []
        for place, each in enumerate(values):
            if self._room <= 0:
                copied.append(f"[and {len(values) - place} more]")
                break
            copied.append(self.value(each, depth))
        return copied

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, bytes):
            value = f"[{len(value)} bytes]"
        elif isinstance(value, str):
            value = _text(value)
        try:
            size = len(dump(value))
        except PredictFailed:
            value = f"[{type(value).__name__}]"
            size = len(value)
        self._room -= size + VALUE_OVERHEAD_BYTES
        return value


def _text(text: str) -> str:
    more = len(text) - TEXT_LIMIT_CHARACTERS
    cut = text if more <= 0 else f"{text[:TEXT_LIMIT_CHARACTERS]}[and {more} more]"
    return cut.encode("utf-8", "replace").decode()
