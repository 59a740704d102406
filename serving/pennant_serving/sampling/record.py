"""What becomes known about one sampled request on its way."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pennant_serving.batching.timing import Times, wanted
from pennant_serving.model.model import Model
from pennant_serving.rows import Prepared, Rows
from pennant_serving.sampling.payloads import PayloadLog

SCOPE = "pennant.record"
"""Where a connection leaves the record in a request's ASGI scope."""


@dataclass(slots=True)
class Record:
    """One request. What it holds of payloads is copied, cut and redacted already."""

    id: bytes
    payloads: PayloadLog | None
    """None when the request was not drawn for the payload log."""
    inputs: Any = None
    outputs: Any = None
    span: Any = None
    """What the request's span belongs to, a context of OpenTelemetry; None when it has no span."""
    begun: int = 0
    """Nanoseconds of the epoch."""
    rows: int = 0
    times: Times | None = None


current: ContextVar[Record | None] = ContextVar("record", default=None)
"""The record of the request that is being answered, if it was drawn."""


def enter(record: Record) -> None:
    """From here on this task, which is one request's, is recorded."""
    current.set(record)
    wanted.set(record.times)


def asked(model: Model, rows: Rows | Prepared, tensors: Sequence[str] = ()) -> None:
    """Note what the model is about to be asked; V2 gives the tensors' names."""
    record = current.get()
    if record is None:
        return
    record.rows = len(rows)
    if record.payloads is not None:
        given = rows.rows() if isinstance(rows, Prepared) else rows
        columns = given.columns or model.columns
        record.inputs = record.payloads.inputs(given, columns, tensors)


def answered(result: Any, wanted: Sequence[str] = ()) -> None:
    """Note what it said; V2 may want some of the outputs only."""
    record = current.get()
    if record is not None and record.payloads is not None:
        record.outputs = record.payloads.outputs(result, wanted)
