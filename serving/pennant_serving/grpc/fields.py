"""How many fields a message has, before it is parsed.

An empty message in a list takes 2 bytes on the wire and 70 in memory.
"""

from __future__ import annotations

from pennant_serving.errors import TooLarge

LARGE = 1024 * 1024
"""Bytes of a message that may become too many."""
MOST_FIELDS = 16384


def check_fields(raw: bytes) -> None:
    """Raises TooLarge for a large message of very many inputs, outputs or contents."""
    if len(raw) > LARGE and _more_fields_than(MOST_FIELDS, raw):
        raise TooLarge(f"the message has more than {MOST_FIELDS} fields: send fewer at a time")


def _more_fields_than(most: int, raw: bytes) -> bool:
    place = 0
    for _ in range(most):
        if place >= len(raw):
            return False
        tag, place = _number(raw, place)
        match tag & 7:  # how the value is written
            case 0:
                _, place = _number(raw, place)
            case 1:
                place += 8
            case 2:
                length, place = _number(raw, place)
                place += length
            case 5:
                place += 4
            case _:
                return False  # the parser will say what is wrong
    return place < len(raw)


def _number(raw: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    found = 0
    for shift in range(0, 70, 7):
        byte = raw[place] if place < len(raw) else 0
        place += 1
        found |= (byte & 127) << shift
        if byte < 128:
            break
    return found, place
