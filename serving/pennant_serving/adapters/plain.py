"""Whether numbers are what a signature says, so that nothing need be converted, or can be lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import MLmodel
from pennant_serving.rows import Rows


def check_plain(rows: Rows, mlmodel: MLmodel) -> None:
    """Raises InvalidInput for values of another type than their column or tensor has."""
    given = _array(rows.values)
    if len(mlmodel.tensors) == 1:
        _check(given, np.dtype(mlmodel.tensors[0]["tensor-spec"]["dtype"]), "the tensor")
        return
    dtypes = [_DTYPES.get(column.type) for column in mlmodel.columns]
    if given.ndim == 2 and given.shape[1] == len(dtypes):
        for place, (column, dtype) in enumerate(zip(mlmodel.columns, dtypes, strict=True)):
            if dtype is not None and dtype.kind != "f":
                _check(given[:, place], dtype, f"column {column.name!r}")


def _check(given: Any, dtype: np.dtype[Any], what: str) -> None:
    """Whether the values can be of a type as they are."""
    if dtype.kind == "b":
        fits = given.dtype.kind == "b" or bool(np.isin(given, (0, 1)).all())
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        whole = given.dtype.kind in "biu" or bool(
            (np.isfinite(given) & (given == np.trunc(given))).all()
        )
        fits = whole and (
            not given.size or (given.min() >= limits.min and given.max() <= limits.max)
        )
    else:
        fits = True
    if not fits:
        raise InvalidInput(f"{what} is of {dtype}, and not all of its values are")


def _are_whole(given: Any, limits: Any) -> bool:
    if given.dtype.kind == "f" and not (np.isfinite(given) & (given == np.trunc(given))).all():
        return False
    # As powers of two, which floats hold exactly.
    return not given.size or (given.min() >= limits.min and given.max() < limits.max + 1)


def _array(values: Any) -> Any:
    """The numbers as they are. Raises InvalidInput for what is more than numbers and nulls."""
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise InvalidInput(f"the rows are no table of numbers: {error}") from error
    if found.dtype.kind == "O" and all(_is_number(each) for each in found.ravel()):
        found = found.astype("float64")  # null is NaN
    if found.dtype.kind not in "biuf":
        raise InvalidInput("the rows hold more than numbers")
    return found


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, (int, float))


_DTYPES = {
    "boolean": np.dtype("bool"),
    "integer": np.dtype("int32"),
    "long": np.dtype("int64"),
    "float": np.dtype("float32"),
    "double": np.dtype("float64"),
}
