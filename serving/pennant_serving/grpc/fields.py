"""A message's fields, before it is parsed: how many there are, and where the large ones lie.

An empty message in a list takes 2 bytes on the wire and 70 in memory. Raw contents are the other
way round: they are taken as they lie in the message, for parsing would copy them twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from pennant_serving.errors import TooLarge

LARGE_MESSAGE_BYTES = 1024 * 1024
"""Of a message that may become too many, or whose contents are too large to be copied."""
FIELD_LIMIT = 16384
LENGTH_DELIMITED = 2
"""Protobuf's wire type of a value that has its length before it."""

Field = tuple[int, int, int, int]
"""A tag, and where it begins, its value begins, and its value ends."""


def taken_out(raw: bytes, number: int) -> tuple[bytes, list[memoryview]]:
    """A large message without its fields of this number, and their values, which share its bytes;
    a small one, or one that the parser will refuse, as it is.

    Raises TooLarge for a large message of very many inputs, outputs or contents.
    """
    fields = _fields(raw) if len(raw) > LARGE_MESSAGE_BYTES else None
    if fields is None:
        return raw, []
    view, wanted = memoryview(raw), number << 3 | LENGTH_DELIMITED
    values = [view[start:end] for tag, _, start, end in fields if tag == wanted]
    rest = b"".join(view[begin:end] for tag, begin, _, end in fields if tag != wanted)
    return rest, values


def _fields(raw: bytes) -> list[Field] | None:
    """None when they are not a message's. Raises TooLarge."""
    fields: list[Field] = []
    for field in _walk(raw):
        if len(fields) == FIELD_LIMIT:
            raise TooLarge(f"the message has more than {FIELD_LIMIT} fields: send fewer at a time")
        fields.append(field)
    return fields if fields and fields[-1][3] == len(raw) else None


def _walk(raw: bytes) -> Iterator[Field]:
    """Up to the end, or to what cannot be understood."""
    place = 0
    while place < len(raw):
        begin = place
        tag, start = _number(raw, place)
        match tag & 7:  # how the value is written
            case 0:
                _, place = _number(raw, start)
            case 1:
                place = start + 8
            case 2:
                length, start = _number(raw, start)
                place = start + length
            case 5:
                place = start + 4
            case _:
                return
        yield tag, begin, start, place


def _number(raw: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = raw[place] if place < len(raw) else 0
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    return value, place
