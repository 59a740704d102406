"""JSON in and out."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import math
from typing import Any

import numpy as np
import orjson

from pennant_serving.codecs import pieces
from pennant_serving.codecs.size import check_json
from pennant_serving.errors import InvalidInput, PredictFailed

SHORT_TEXT_BYTES = 4096
"""In which it takes no time to look for something."""


def load_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises InvalidInput, or TooLarge for too many values."""
    check_json(body)
    try:
        content = pieces.loads(body)
    except orjson.JSONDecodeError as error:
        content = _with_nan(body, error)
    if not isinstance(content, dict):
        raise InvalidInput(f"the body is a JSON {type(content).__name__}, not an object")
    return content


def _with_nan(body: bytes, error: orjson.JSONDecodeError) -> Any:
    """What Python's own writer makes of values that are missing, and MLflow's client sends."""
    if b"NaN" in body or b"Infinity" in body:
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(body)
            if b"\\u" in body or not body.isascii():
                json.dumps(content, ensure_ascii=False).encode()  # it takes half a surrogate pair
            return content
    raise InvalidInput(f"the body is not JSON: {error}") from error


def dump(content: Any) -> bytes:
    """A response, with what models answer as MLflow's scoring server writes it: arrays as lists,
    numbers of NumPy, times in ISO 8601, bytes in base64, pydantic's objects, keys that are numbers,
    and infinities as `Infinity`. What is missing (NaN, NaT) is null. Raises PredictFailed."""
    arrays = _arrays(content)
    try:
        if arrays is None:
            text = orjson.dumps(content, default=_plain)
        else:
            text = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    except (orjson.JSONEncodeError, _InfiniteError):
        return _dump_slowly(content)
    # It writes null for infinities, too. In a long text it takes longer to look for that.
    if (arrays is None or len(text) < SHORT_TEXT_BYTES) and b"null" not in text:
        return text
    is_finite = arrays is not None and not any(np.isinf(each).any() for each in arrays)
    return text if is_finite else _dump_slowly(content)


def _arrays(content: Any) -> list[Any] | None:
    """The content's arrays where it is nothing but one of numbers, or those and texts by name."""
    values = content.values() if type(content) is dict else (content,)
    arrays = [each for each in values if type(each) is np.ndarray]
    if not arrays or any(each.dtype.kind not in "biuf" for each in arrays):
        return None
    return arrays if all(type(each) in (np.ndarray, str) for each in values) else None


def _dump_slowly(content: Any) -> bytes:
    """By Python's own writer, which knows large whole numbers and infinities."""
    try:
        return json.dumps(_simple(content), separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PredictFailed(f"the prediction cannot be written as JSON: {error}") from error


class _InfiniteError(Exception):
    """There is an infinity in an array."""


def _plain(value: Any) -> Any:
    """What orjson does not know, as what it does."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and type(value) is np.ndarray:
        if value.dtype.kind == "f" and np.isinf(value).any():
            raise _InfiniteError
        with contextlib.suppress(orjson.JSONEncodeError):  # of types that it does not know
            return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    return _one_simpler(value)


def _simple(value: Any) -> Any:
    """The same of Python's plain types, all the way down, with null for what is missing."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        return {_key(name): _simple(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_simple(each) for each in value]
    return _simple(_one_simpler(value))


def _key(name: Any) -> Any:
    return name.item() if isinstance(name, np.generic) else name


def _one_simpler(value: Any) -> Any:
    """One step from a type of a library's towards Python's. Raises TypeError."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype == "datetime64[ns]":
        value = value.astype("datetime64[us]")  # or it would become whole numbers
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.longdouble:
        value = value.astype("float64")  # or it would become itself
    if isinstance(value, (bytes, bytearray)):
        return base64.encodebytes(value).decode("ascii")
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "isoformat"):
        return None if str(value) == "NaT" else value.isoformat()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if type(value).__name__ == "NAType":  # what is missing in pandas' own types
        return None
    raise TypeError(f"{type(value).__name__} is not JSON serializable")
