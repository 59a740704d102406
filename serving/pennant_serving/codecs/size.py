"""How much a body may become when it is decoded.

The bytes of a body are limited elsewhere, but a few bytes can stand for much more in memory: an
empty list takes 3 bytes on the wire and 64 here, a short line of CSV as many values as the header
has columns, a page of Parquet as much as it was compressed from.
"""

from __future__ import annotations

from pennant_serving.errors import TooLarge

VALUE_LIMIT = 4 * 1024 * 1024
"""The largest body can hold them as numbers of 15 digits; in memory they take 130 MiB as such, and
at the worst, as objects of one key, four times as much."""
COLUMN_LIMIT = 65536
"""A table of pandas, and a record, cost much more by column than by row."""
UNPACKED_LIMIT_BYTES = 4 * 64 * 1024 * 1024
"""Of what a compressed file holds."""
COUNTED_AT_ONCE_BYTES = 1024 * 1024
"""Bytes. Counting holds the interpreter's lock, so others go on between two of these."""
JSON_OPENERS = (b",", b"[", b"{")


def check_json(body: bytes) -> None:
    """Raises TooLarge when this JSON may hold more values. Those in texts count as well."""
    if len(body) > VALUE_LIMIT:  # a value takes a byte at least
        places = range(0, len(body), COUNTED_AT_ONCE_BYTES)
        check_values(
            sum(
                body.count(mark, n, n + COUNTED_AT_ONCE_BYTES)
                for n in places
                for mark in JSON_OPENERS
            )
        )


def check_table(rows: int, columns: int) -> None:
    """Raises TooLarge."""
    if columns > COLUMN_LIMIT:
        message = f"the table has {columns} columns, more than the {COLUMN_LIMIT} that are taken"
        raise TooLarge(message)
    check_values(rows * columns)


def check_values(count: int) -> None:
    """Raises TooLarge."""
    if count > VALUE_LIMIT:
        message = f"the body holds about {count} values, more than the {VALUE_LIMIT} that are taken"
        raise TooLarge(f"{message}: send fewer rows at a time")


def check_unpacked(size: int) -> None:
    """Raises TooLarge."""
    if size > UNPACKED_LIMIT_BYTES:
        raise TooLarge(f"the file unpacks to {size} bytes, more than {UNPACKED_LIMIT_BYTES}")
