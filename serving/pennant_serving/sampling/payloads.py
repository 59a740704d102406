"""The payload log: of a share of requests, a line of JSON with what was asked and answered."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pennant_serving.codecs.jsonio import dump
from pennant_serving.codecs.outputs import named
from pennant_serving.rows import Rows
from pennant_serving.sampling.copying import REDACTED, Copier

ROOM_BYTES = 5000
"""Bytes for the inputs, and again for the outputs: container runtimes cut a line at 16 KiB."""


class PayloadLog:
    """Writes to standard output, which the node's log collector reads."""

    def __init__(self, model: str, version: str, ratio: float, redact: Sequence[str]) -> None:
        self._identity = {"model": model, "version": version}
        self._ratio = ratio
        self._redact = frozenset(redact)

    def draws(self) -> bool:
        """Whether the request that is asking is one of the sample."""
        return random.random() < self._ratio  # noqa: S311

    def inputs(self, rows: Rows, columns: Sequence[str], tensors: Sequence[str]) -> Any:
        """What is told of a request's rows, whose values have these names, or one tensor's."""
        if rows.columns is None and self._redact.intersection(tensors):
            return REDACTED
        if not columns and len(tensors) == 1:  # the tensor's is the only name they have
            return {tensors[0]: Copier(self._redact, ROOM_BYTES).value(rows.values)}
        return Copier(self._redact, ROOM_BYTES).rows(rows.values, columns)

    def outputs(self, result: Any, wanted: Sequence[str]) -> Any:
        """What is told of the answer, by output."""
        outputs = {name: each for name, each in named(result) if not wanted or name in wanted}
        return Copier(self._redact, ROOM_BYTES).value(outputs)

    def write(self, line: dict[str, Any]) -> None:
        """Tell of one request that was answered."""
        time = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        sys.stdout.buffer.write(dump(time | self._identity | line) + b"\n")
        sys.stdout.buffer.flush()
