"""V2's datatypes: as NumPy's types, and as what MLflow's signatures call them."""

from __future__ import annotations

import numpy as np

DTYPES: dict[str, np.dtype[np.generic]] = {
    "BOOL": np.dtype("?"),
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
"""Little-endian, as binary tensors are. BYTES, whose elements differ in length, has none."""

NAMES = (*DTYPES, "BYTES")

MLFLOW_TYPES = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    "bool": "BOOL",
    **{f"int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}
"""Of columns and of tensors. What is absent (string, datetime, binary, ...) is BYTES."""


def of_dtype(dtype: np.dtype[np.generic]) -> str:
    """The datatype of an array's elements; BYTES for all that are no plain numbers."""
    return _BY_DTYPE.get(dtype.newbyteorder("<"), "BYTES")


_BY_DTYPE = {dtype: name for name, dtype in DTYPES.items()}
