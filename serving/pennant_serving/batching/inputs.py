"""What rows become before the model is asked, and which inputs are alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from pennant_serving.adapters.base import Adapter, ArraySpec
from pennant_serving.batching import joining
from pennant_serving.errors import from_model
from pennant_serving.rows import Prepared, Rows

ARRAY = "array"
"""The kind of all arrays: a model takes one."""
ALONE = "alone"
"""The kind of all that is not joined: it waits in one queue."""


class Inputs:
    """Those of one model, by its adapter."""

    def __init__(self, adapter: Adapter) -> None:
        self.array_spec: ArraySpec | None = getattr(adapter, "array_spec", None)
        """The type of the arrays that may be submitted; None when only `Rows` may."""
        to_array = getattr(adapter, "to_array", None) if self.array_spec is not None else None
        self.prepare: Callable[[Any], Any] | None = getattr(adapter, "prepare", to_array)
        """What makes the model's input of rows; None where it is asked with the rows."""

    def value(self, rows: Rows | Prepared) -> Any:
        """The one array where a model takes one, else what its adapter makes of rows. Raises
        ServingError."""
        try:
            made: Any = rows
            if self.prepare is not None and not isinstance(rows, Prepared):
                made = self.prepare(rows)
        except Exception as error:
            raise from_model(error) from error
        return made.data if isinstance(made, Prepared) and self._is_the_array(made.data) else made

    def _is_the_array(self, data: Any) -> bool:
        spec = self.array_spec
        return spec is not None and isinstance(data, np.ndarray) and data.dtype == spec.dtype


def kind_of(value: Any, *, joins: bool, many: bool) -> Hashable:
    """The kind of a value that was made; None is like no other.

    To look at all values of rows is worth it only where some may be joined, and not when there are
    many.
    """
    if not joins:
        return ALONE
    if not isinstance(value, (Rows, Prepared)):
        return ARRAY
    return None if many else joining.kind(value)
