"""JSON in and out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import orjson

from pennant_serving.codecs import pieces
from pennant_serving.codecs.size import check_json
from pennant_serving.errors import InvalidInput, PredictFailed


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
    if b"NaN" in body:
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(body)
            if b"\\u" in body or not body.isascii():
                json.dumps(content, ensure_ascii=False).encode()  # it takes half a surrogate pair
            return content
    raise InvalidInput(f"the body is not JSON: {error}") from error


def dump(content: Any) -> bytes:
    """A response, with NumPy's arrays and numbers as JSON's. Raises PredictFailed."""
    try:
        return orjson.dumps(content, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        cause = error.__cause__ or error
        raise PredictFailed(f"the prediction cannot be written as JSON: {cause}") from error


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # arrays and numbers of types that orjson leaves to us
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")
