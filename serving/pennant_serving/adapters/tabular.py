"""What models of numbers have in common: rows become one array, with its columns by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pennant_serving.adapters import exact, tables
from pennant_serving.adapters.base import ArraySpec
from pennant_serving.adapters.reading import ReadingAdapter
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.bundle.takes import Takes
from pennant_serving.codecs import invocations
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.errors import InvalidInput, Unfit
from pennant_serving.rows import Prepared, Rows


class TabularAdapter(ReadingAdapter):
    """Answers rows by a function of an array, of one row each and one column for each feature."""

    joins = True
    steady = True
    answers_arrays = True
    joins_because = "the library answers each row by itself"

    def __init__(
        self,
        mlmodel: MLmodel,
        answer: Callable[[Any], Any],
        *,
        names: tuple[str, ...],
        width: int | None,
        dtype: str | None,
        takes_frame: bool = False,
    ) -> None:
        """`width` is the number of features, None when any will do; `dtype` is the array's type,
        None when the values shall tell.

        With `takes_frame` the function is given DataFrames.
        """
        self._mlmodel = mlmodel
        self._answer = answer
        self._names = names
        self._width = width
        self._takes_frame = takes_frame
        self._dtype = dtype
        self._columns = exact.SignatureColumns(mlmodel.columns, dtype)
        self.array_spec = None if takes_frame else self._spec()
        if takes_frame:
            _ = self._scoring  # now, and not with the first request
        # Arrays are checked against the names here, so scikit-learn need not miss them.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")

    @property
    def takes(self) -> Takes:
        """For those who explain why rows do not fit."""
        return Takes.of(self._mlmodel, self._names, width=self._width)

    def read_plain(self, body: bytes) -> Invocation[Prepared]:
        """Raises InvalidInput for what is not nothing but numbers that fit."""
        if self._takes_frame or self._width is None:
            raise InvalidInput("this model takes more than arrays of so many numbers")
        asked = invocations.parse(body)
        if (asked.params and self._mlmodel.params) or (asked.rows.columns and not self._names):
            raise InvalidInput("MLflow knows what to make of params, and of names")
        array = self.to_array(asked.rows)
        if array.dtype == object:
            raise InvalidInput("the rows hold more than numbers")
        return Invocation(Prepared(self._columns.checked(array)))

    def prepare(self, rows: Rows) -> Prepared:
        """Rows that came by V2. Raises InvalidInput for those that do not fit."""
        if self._takes_frame:
            return self._scoring.enforced(self._scoring.prepare(rows))
        return Prepared(self.to_array(rows))

    def predict(self, asked: Rows | Prepared) -> Any:
        """Raises InvalidInput, and the library's ValueError, for rows that do not fit."""
        return self.ask(self._answer, asked)

    def predict_array(self, array: Any) -> Any:
        """Raises InvalidInput, and the library's ValueError, for values that do not fit."""
        return self._answer(self._columns.checked(array))

    def ask(self, function: Callable[[Any], Any], asked: Rows | Prepared) -> Any:
        """What a function of the model's input says. Raises as `predict` does."""
        prepared = asked if isinstance(asked, Prepared) else self.prepare(asked)
        given = self._given(prepared.data)
        try:
            return function(given)
        except (TypeError, AttributeError, LookupError) as error:
            # Of code that is known to be right: then it is the values that do not fit.
            if not self.steady:
                raise
            problem = f"the rows do not fit the model: {type(error).__name__}: {error}"
            raise InvalidInput(problem) from error

    def to_array(self, rows: Rows) -> Any:
        """The array that the function takes. Raises InvalidInput for rows that do not fit."""
        if self._names:
            rows = tables.ordered(rows, self._names, required=frozenset(self._names))
        array = exact.array(rows.values, self._dtype)
        if self._width is None:
            return array
        if array.ndim == 1 and self._width == 1:
            array = array.reshape(-1, 1)
        if array.ndim != 2 or array.shape[1] != self._width:
            message = (
                f"rows are of shape {array.shape[1:]}, but the model takes {self._width} values"
            )
            raise Unfit(message)
        return array

    def _given(self, data: Any) -> Any:
        """What was read, as the library takes it. Raises InvalidInput."""
        return self._columns.checked(data) if isinstance(data, np.ndarray) else data

    def _spec(self) -> ArraySpec | None:
        if self._dtype is None or self._width is None or np.dtype(self._dtype).kind not in "iuf":
            return None
        return ArraySpec(self._dtype, self._width, self._names, fits=self._columns.fits)
