"""Large JSON, read in pieces.

A parser holds the interpreter's lock as long as it runs, and 60 MB take it 0.2 s in which nobody
else is served, whichever thread it runs in. What makes bodies large is nearly always one array of
numbers, flat or of rows: that is parsed apart from the rest, by some thousand numbers at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import orjson

LARGE_BYTES = 1024 * 1024
"""Bytes of a body, or of an array in it, that take more than a few milliseconds."""
PIECE_BYTES = 128 * 1024
NEAR_BYTES = 64 * 1024
"""Where it begins, if there is one; looking further costs more than it saves."""
NOT_NUMBERS = re.compile(rb'["{}]')
ROW_ENDS = re.compile(rb"\]\s*,")
ROWS_BEGIN = re.compile(rb"\[\s*\[\s*(?!\[)")


def loads(body: bytes) -> Any:
    """What `orjson.loads` returns, or raises."""
    place = _numbers(body) if len(body) > LARGE_BYTES else None
    if place is None:
        return orjson.loads(body)
    start, end = place
    stand_in = token_hex()  # or a client could say the same
    try:
        content = orjson.loads(b'%b"%b"%b' % (body[:start], stand_in.encode(), body[end:]))
        return _put(content, stand_in, _parsed(body, start, end))
    except (orjson.JSONDecodeError, LookupError):
        return orjson.loads(body)  # it knows better, or says what is wrong


def _numbers(body: bytes) -> tuple[int, int] | None:
    """Where the first large array of numbers begins and ends."""
    for begin, stop in _stretches(body):
        if stop - begin > LARGE_BYTES:
            start, last = body.find(b"[", begin, stop), body.rfind(b"]", begin, stop)
            if 0 <= start < last:  # in a text it makes no sense without it, and that is seen
                return start, last + 1
    return None


def _stretches(body: bytes) -> Iterator[tuple[int, int]]:
    """The parts between what no array of numbers has; found piece by piece, too."""
    begin = 0
    for at in range(0, len(body), LARGE_BYTES):
        for match in NOT_NUMBERS.finditer(body, at, min(at + LARGE_BYTES, len(body))):
            yield begin, match.start()
            begin = match.end()
            if begin > NEAR_BYTES:
                return


def _parsed(body: bytes, start: int, end: int) -> list[Any]:
    """The array that lies there. Raises JSONDecodeError, also for what is nested deeper."""
    has_rows = ROWS_BEGIN.match(body, start, end)
    if not has_rows and body.find(b"[", start + 1, end) >= 0:
        raise orjson.JSONDecodeError("nested deeper", "", 0)
    values: list[Any] = []
    begin, stop, last = start + 1, 0, end - 1
    while stop < last:
        stop = _cut(body, begin + PIECE_BYTES, last, rows=bool(has_rows))
        piece = orjson.loads(b"[%b]" % body[begin:stop])
        if not piece:
            raise orjson.JSONDecodeError("nothing behind a comma", "", 0)
        values += piece
        begin = stop + 1
    return values


def _cut(body: bytes, at: int, last: int, *, rows: bool) -> int:
    """The place of a comma behind a value, or the end."""
    if at >= last:
        return last
    if rows:
        match = ROW_ENDS.search(body, at, last)
        return match.end() - 1 if match else last
    comma = body.find(b",", at, last)
    return comma if comma >= 0 else last


def _put(content: Any, stand_in: str, values: list[Any]) -> Any:
    """Put the values in their place, which is a member of an object at some depth. Raises
    LookupError when that is not so."""
    waiting = [content]
    for each in waiting:
        if isinstance(each, dict):
            for name, value in each.items():
                if value == stand_in:
                    each[name] = values
                    return content
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each[:16]
    raise LookupError
