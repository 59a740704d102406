"""A prediction as V2's output tensors: which there are, and their elements as JSON or as bytes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pennant_serving.codecs import binary, datatypes
from pennant_serving.codecs.jsonio import dump
from pennant_serving.errors import InvalidInput


@dataclass(frozen=True)
class Output:
    """One output of a response."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    elements: Any
    """A flat array of numbers, or a list of texts, or of bytes."""

    @classmethod
    def of(cls, name: str, values: Any) -> Output:
        """Rows that make no regular array become one JSON text each."""
        array = _array(values)
        datatype = datatypes.of_dtype(array.dtype)
        elements = _texts(array) if datatype == "BYTES" else array.ravel()
        return cls(name, datatype, array.shape, elements)

    @property
    def head(self) -> dict[str, Any]:
        return {"name": self.name, "shape": list(self.shape), "datatype": self.datatype}

    def json(self) -> dict[str, Any]:
        """The output with its data; bytes are in base64, and it says so."""
        if isinstance(self.elements, list) and any(isinstance(e, bytes) for e in self.elements):
            raw = (e if isinstance(e, bytes) else e.encode() for e in self.elements)
            data = [base64.b64encode(each).decode() for each in raw]
            return self.head | {"parameters": {"content_type": "base64"}, "data": data}
        return self.head | {"data": self.elements}

    def raw(self) -> bytes:
        """The elements as bytes."""
        return binary.write(self.datatype, self.elements)


def outputs_of(result: Any, wanted: Sequence[str]) -> list[Output]:
    """The wanted outputs of a prediction, or all. Raises InvalidInput for one that is not there."""
    outputs = [Output.of(name, values) for name, values in named(result)]
    if not wanted:
        return outputs
    by_name = {output.name: output for output in outputs}
    if unknown := [name for name in wanted if name not in by_name]:
        raise InvalidInput(
            f"there is no output {', '.join(unknown)}; the model has {', '.join(by_name)}"
        )
    return [by_name[name] for name in wanted]


def named(result: Any) -> list[tuple[str, Any]]:
    """A prediction by its outputs' names: of a dict, a DataFrame, or `predict`."""
    if isinstance(result, dict):
        return [(str(name), values) for name, values in result.items()]
    if hasattr(result, "columns") and hasattr(result, "to_dict"):  # a DataFrame
        columns = (result.iloc[:, place] for place in range(len(result.columns)))
        return [(str(column.name), column.to_numpy()) for column in columns]
    if hasattr(result, "to_frame") and result.name is not None:  # a Series
        return [(str(result.name), result.to_numpy())]
    return [("predict", result)]


def _texts(array: np.ndarray[Any, Any]) -> list[str | bytes]:
    """Texts and bytes as they are, everything else as JSON."""
    if array.dtype == "datetime64[ns]":
        array = array.astype("datetime64[us]")  # or it would become whole numbers
    return [_text(value) for value in array.ravel().tolist()]


def _text(value: Any) -> str | bytes:
    if isinstance(value, (str, bytes)):
        return value
    is_time = isinstance(value, date) and value == value  # which NaT is not
    return value.isoformat() if is_time else dump(value).decode()


def _array(values: Any) -> np.ndarray[Any, Any]:
    if isinstance(values, np.ma.MaskedArray):
        values = _unmasked(values)
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = binary.objects(values)
    return array if array.ndim else array.reshape(1)


def _unmasked(values: Any) -> Any:
    """What is masked is missing: NaN among floats, null among all others."""
    if not np.ma.is_masked(values):
        return values.data
    if values.dtype.kind == "f":
        return values.filled(np.nan)
    return np.array(values.tolist(), dtype=object)
