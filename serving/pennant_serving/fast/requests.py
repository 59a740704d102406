"""Bodies to arrays, by a parser that checks every value's type while it reads. Pure.

A decoder returns None for whatever the general way must look at: other forms, other shapes, other
types, errors.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from pennant_serving.adapters.base import ArraySpec

Array = np.ndarray[Any, Any]


class Asked(NamedTuple):
    """A request that was understood."""

    array: Array
    id: str | None = None


class _Output(msgspec.Struct, forbid_unknown_fields=True):
    name: Literal["predict"]


class _Floats(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    shape: tuple[int, int]
    datatype: Literal["FP64", "FP32", "FP16"]
    data: list[float]


class _Integers(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    shape: tuple[int, int]
    datatype: Literal["INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8"]
    data: list[int]

    def is_in_range(self) -> bool:
        """Whether the values are of the type that was said, and not of a larger one."""
        limits = np.iinfo(self.datatype.lower())
        return bool(limits.min <= min(self.data) and max(self.data) <= limits.max)


class _InferFloats(msgspec.Struct, forbid_unknown_fields=True):
    inputs: tuple[_Floats]
    id: str | None = None
    outputs: list[_Output] = []


class _InferIntegers(msgspec.Struct, forbid_unknown_fields=True):
    inputs: tuple[_Integers]
    id: str | None = None
    outputs: list[_Output] = []


class _Split(msgspec.Struct, forbid_unknown_fields=True):
    columns: list[str]
    data: list[list[float]]


class _Invocation(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: _Split | UnsetType = UNSET
    dataframe_records: list[dict[str, Any]] | UnsetType = UNSET
    instances: list[list[float]] | UnsetType = UNSET
    inputs: list[list[float]] | dict[str, list[float]] | UnsetType = UNSET


class _SplitOfIntegers(msgspec.Struct, forbid_unknown_fields=True):
    columns: list[str]
    data: list[list[int]]


class _InvocationOfIntegers(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: _SplitOfIntegers | UnsetType = UNSET
    dataframe_records: list[dict[str, int]] | UnsetType = UNSET
    instances: list[list[int]] | UnsetType = UNSET
    inputs: list[list[int]] | dict[str, list[int]] | UnsetType = UNSET


EXACT = {"float64": ("FP64",), "float32": ("FP64", "FP32"), "float16": ("FP64", "FP32", "FP16")}
"""V2's floats that a model's type takes as they are written. What is narrower than the model's type
may be rounded to its own before."""


class Decoder:
    """The two protocols' bodies for one model."""

    def __init__(self, spec: ArraySpec) -> None:
        self._spec = spec
        self._columns = list(spec.names)
        self._row = itemgetter(*spec.names) if len(spec.names) > 1 else None
        self._exact = EXACT.get(spec.dtype, ())
        is_whole = not self._exact
        bodies: tuple[Any, ...] = (_InferIntegers,) if is_whole else (_InferFloats, _InferIntegers)
        self._v2 = tuple(map(msgspec.json.Decoder, bodies))
        self._invocation: msgspec.json.Decoder[_Invocation | _InvocationOfIntegers] = (
            msgspec.json.Decoder(_InvocationOfIntegers if is_whole else _Invocation)
        )

    def v2(self, body: bytes) -> Asked | None:
        """One tensor of rows."""
        content = self._infer(body)
        if content is None:
            return None
        tensor = content.inputs[0]
        rows, width = tensor.shape
        fits = rows > 0 and width == self._spec.width and len(tensor.data) == rows * width
        outputs = 0 if self._spec.names_its_answers else 1
        if not fits or len(content.outputs) > outputs:
            return None
        if isinstance(tensor, _Integers):
            if not tensor.is_in_range():
                return None
        elif tensor.datatype not in self._exact:
            return None
        array = self._array(tensor.data)
        return None if array is None else self._asked(array.reshape(tensor.shape), content.id)

    def _infer(self, body: bytes) -> _InferFloats | _InferIntegers | None:
        for decoder in self._v2:
            try:
                content: _InferFloats | _InferIntegers = decoder.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            return content
        return None

    def mlflow(self, body: bytes) -> Asked | None:
        """One of the four forms."""
        try:
            content = self._invocation.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        forms: tuple[Any, ...] = (
            content.dataframe_split,
            content.dataframe_records,
            content.instances,
            content.inputs,
        )
        given = [form for form in forms if form is not UNSET]
        if len(given) != 1:
            return None
        array = self._table(given[0], content)
        return None if array is None else self._asked(array)

    def _table(self, given: Any, content: _Invocation | _InvocationOfIntegers) -> Array | None:
        if isinstance(given, (_Split, _SplitOfIntegers)):
            return self._matrix(given.data) if given.columns == self._columns else None
        if isinstance(given, dict):
            return self._by_column(given)
        if content.dataframe_records is not UNSET:
            return self._by_row(given)
        return self._matrix(given)

    def _by_row(self, records: list[dict[str, Any]]) -> Array | None:
        row = self._row
        if row is None or any(len(each) != self._spec.width for each in records):
            return None
        try:
            return self._matrix([row(each) for each in records])
        except KeyError:
            return None

    def _by_column(self, columns: dict[str, list[Any]]) -> Array | None:
        if columns.keys() != set(self._columns):
            return None
        array = self._array([columns[name] for name in self._columns])
        return np.ascontiguousarray(array.T) if array is not None and array.size else None

    def _matrix(self, rows: Any) -> Array | None:
        array = self._array(rows)
        fits = array is not None and array.ndim == 2 and array.shape[1] == self._spec.width
        return array if fits else None

    def _asked(self, array: Array, request_id: str | None = None) -> Asked | None:
        fits = self._spec.fits
        return Asked(array, request_id) if fits is None or fits(array) else None

    def _array(self, values: Any) -> Array | None:
        try:
            return np.array(values, dtype=self._spec.dtype)
        except (ValueError, OverflowError):  # rows of different lengths, or out of range
            return None
