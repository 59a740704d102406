"""What can be seen of a body that was refused, for those who explain why. Without pandas."""

from __future__ import annotations

import csv
import io
from itertools import islice

from pennant_serving.codecs import invocations
from pennant_serving.codecs.media import CSV, JSON
from pennant_serving.errors import ServingError
from pennant_serving.rows import Rows

SEEN_LIMIT_BYTES = 1 << 20
"""Bytes. Of more the error is told as it is."""
SEEN_LIMIT_ROWS = 1000


def seen(form: str, body: bytes) -> Rows | None:
    """The rows of a body of /invocations as they stand there; None where there are none to see."""
    if len(body) > SEEN_LIMIT_BYTES:
        return None
    try:
        if form == JSON:
            return invocations.parse(body).rows
        return _csv(body) if form == CSV else None
    except (ServingError, UnicodeDecodeError, csv.Error):
        return None


def _csv(body: bytes) -> Rows | None:
    lines = [*islice(csv.reader(io.StringIO(body.decode())), SEEN_LIMIT_ROWS)]
    if not lines:
        return None
    columns, *rows = lines
    values = [[_value(text) for text in row[: len(columns)]] for row in rows]
    return Rows(values, tuple(columns))


def _value(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text
