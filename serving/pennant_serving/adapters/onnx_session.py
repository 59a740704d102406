"""onnxruntime: sessions, what they take, and running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pennant_serving.adapters import exact
from pennant_serving.errors import InvalidInput

CPU = "CPUExecutionProvider"
SPINNING = "session.intra_op.allow_spinning"
DTYPES = {
    "bool": "bool",
    "double": "float64",
    "float": "float32",
    "float16": "float16",
    "string": "object",
    **{f"int{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
"""What ONNX calls its tensors' elements."""


@dataclass(frozen=True)
class Input:
    """One input of a model."""

    name: str
    dtype: np.dtype[Any]
    width: int | None
    """Of a matrix with so many columns; None for everything else."""

    def array(self, values: Sequence[Any], dtype: str | None) -> Any:
        """Rows, read as the signature's type. Raises InvalidInput."""
        return self.cast(exact.array(values, dtype))

    def cast(self, array: Any) -> Any:
        """The same values as the model's type. Raises InvalidInput when they are not the same,
        rounding of floats aside."""
        if array.dtype == self.dtype:
            return array
        try:
            cast = array.astype(self.dtype)
        except (ValueError, TypeError) as error:
            raise InvalidInput(f"input {self.name!r} is not {self.dtype}: {error}") from error
        if self.dtype.kind in "iu" and not np.array_equal(cast, array):
            raise InvalidInput(f"input {self.name!r} is not {self.dtype}: not all values are")
        return cast


def start(path: Path, flavor: Mapping[str, Any], threads: int) -> Any:
    """A session with the options of the flavor, else so many threads. Raises what it raises."""
    import onnxruntime

    wanted = flavor.get("onnx_session_options") or {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = wanted.get("intra_op_num_threads") or threads
    options.inter_op_num_threads = wanted.get("inter_op_num_threads") or 0
    if str(wanted.get("execution_mode")).upper() == "PARALLEL":
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    if level := wanted.get("graph_optimization_level"):
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    # Spinning threads take the processor time of those that have work.
    for key, value in ({SPINNING: "0"} | (wanted.get("extra_session_config") or {})).items():
        options.add_session_config_entry(key, str(value))
    providers = _providers(flavor.get("providers"), onnxruntime.get_available_providers())
    return onnxruntime.InferenceSession(path, sess_options=options, providers=providers)


def _providers(wanted: Any, available: Sequence[str]) -> list[Any]:
    """Those that the flavor names and this onnxruntime has. A list is a name with its options."""
    entries = [wanted] if isinstance(wanted, str) else wanted or []
    pairs = [tuple(each) if isinstance(each, list) else (each,) for each in entries]
    usable = [pair for pair in pairs if pair[0] in available]
    return [pair if len(pair) > 1 else pair[0] for pair in usable] or [CPU]


def inputs_of(session: Any) -> list[Input]:
    """Raises ValueError for a model that takes more than tensors."""
    return [_input(each) for each in session.get_inputs()]


def _input(described: Any) -> Input:
    element = described.type.removeprefix("tensor(").removesuffix(")")
    if element not in DTYPES:
        raise ValueError(f"input {described.name} is {described.type}, which no request can hold")
    wide = len(described.shape) == 2 and isinstance(described.shape[1], int)
    return Input(described.name, np.dtype(DTYPES[element]), described.shape[1] if wide else None)


def has_free_rows(session: Any) -> bool:
    """Whether any number of rows may be asked at once."""
    shapes = [each.shape for each in (*session.get_inputs(), *session.get_outputs())]
    return all(shape and not isinstance(shape[0], int) for shape in shapes)


def run(session: Any, outputs: list[str], feeds: dict[str, Any]) -> list[Any]:
    """The outputs' values. Raises InvalidInput for inputs that do not fit."""
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    try:
        values = session.run(outputs, feeds)
    except InvalidArgument as error:
        raise InvalidInput(str(error)) from error
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """A sequence of maps, which classifiers answer with, has keys that JSON can have."""
    if not isinstance(value, list):
        return value
    return [
        {str(k): v for k, v in each.items()} if isinstance(each, dict) else each for each in value
    ]
