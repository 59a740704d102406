"""What becomes known about one sampled request on its way."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pennant_serving.model import Model
from pennant_serving.rows import Rows
from pennant_serving.watch.payloads import PayloadLog

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


current: ContextVar[Record | None] = ContextVar("record", default=None)
"""The record of the request that is being answered, if it was drawn."""


def asked(model: Model, rows: Rows, tensors: Sequence[str] = ()) -> None:
    """Note what the model is about to be asked; V2 gives the tensors' names."""
    record = current.get()
    if record is not None and record.payloads is not None:
        columns = rows.columns or model.columns
        record.inputs = record.payloads.inputs(rows, columns, tensors)


def answered(result: Any, wanted: Sequence[str] = ()) -> None:
    """Note what it said; V2 may want some of the outputs only."""
    record = current.get()
    if record is not None and record.payloads is not None:
        record.outputs = record.payloads.outputs(result, wanted)
