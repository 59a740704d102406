"""What is a moment's work and what is more, counted in values.

Decoding, checking and writing cost up to a microsecond for each value, and hardly anything for each
byte: a megabyte may be one text or half a million numbers. What is more than a moment's work is
done beside the event loop, where it holds nobody up. Pure.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

MOMENT_VALUES = 4096
"""Values that are decoded or written in the event loop: 2 ms at the most."""
MANY_VALUES = MOMENT_VALUES + 1
"""What is always more."""
ELEMENTS_PER_VALUE = 16
"""NumPy takes this many values, and a text holds this many bytes, for the work of one."""
COUNTED_BYTES = 256 * 1024
"""Bytes that are looked through for values, which takes 0.3 ms; more is a lot of work anyway."""
NUMBERS = "biufc"
"""NumPy's kinds."""
NESTING_LIMIT = 32
"""Lists in lists; what goes deeper is left to those who can tell."""
JSON_MARKS = (b",", b"[", b"{")
SINGLE = (int, float, complex, type(None), date, time, timedelta, Decimal)


def of_body(body: bytes) -> int:
    """About how many values a body of JSON or CSV may hold; a value takes two bytes with its comma
    or line."""
    most = len(body) // 2
    if most <= MOMENT_VALUES or len(body) > COUNTED_BYTES:
        return most
    marks = sum(map(body.count, (*JSON_MARKS, b"\n")))
    return marks + len(body) // (4 * ELEMENTS_PER_VALUE)


def of_value(value: Any) -> int:
    """About how many values a prediction, or rows, are. Counts no further than it must to tell that
    they are more than a moment's work."""
    return MOMENT_VALUES - _left(value, MOMENT_VALUES, 0)


def _left(value: Any, room: int, depth: int) -> int:
    """What is left of the room; less than nothing when it is not enough."""
    if (dtype := getattr(value, "dtype", None)) is not None:
        each = ELEMENTS_PER_VALUE if getattr(dtype, "kind", "O") in NUMBERS else 1
        size = getattr(value, "size", None)  # of some libraries' tensors it is a function
        return room - 1 - size // each if isinstance(size, int) else -1
    if hasattr(value, "columns") and hasattr(value, "to_dict"):  # a DataFrame
        return room - int(value.size)
    if isinstance(value, (str, bytes)):
        return room - 1 - len(value) // (4 * ELEMENTS_PER_VALUE)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return room - 1 if isinstance(value, SINGLE) else -1  # an object may hold anything
    if depth == NESTING_LIMIT:
        return -1
    room -= 1
    for each in value:
        if room < 0:
            break
        room = _left(each, room, depth + 1)
    return room
