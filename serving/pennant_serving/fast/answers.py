"""Results to bodies: what `codecs` writes, put together from parts that never change. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from pennant_serving.codecs import datatypes, invocations, v2
from pennant_serving.codecs.jsonio import dump
from pennant_serving.rows import Rows

NO_ROWS = Rows(())


class Encoder:
    """The bodies of one model's answers."""

    def __init__(self, model: str, version: str) -> None:
        self._model = model
        self._version = version
        start = dump({"model_name": model, "model_version": version})[:-1]
        self._start = start + b',"outputs":[{"name":"predict","shape":'
        self._middles: dict[np.dtype[Any], bytes] = {}

    def v2(self, result: Any, request_id: str | None) -> bytes:
        """A V2 response. Raises PredictFailed for what has no JSON."""
        if not _is_plain(result):
            request = v2.InferRequest(NO_ROWS, request_id, ())
            return v2.encode(result, request, self._model, self._version)
        middle = self._middles.get(result.dtype) or self._middle(result.dtype)
        shape = b"[%d]" % len(result) if result.ndim == 1 else orjson.dumps(result.shape)
        end = b"}]}" if request_id is None else b'}],"id":' + dump(request_id) + b"}"
        return b"".join((self._start, shape, middle, dump(result.ravel()), end))

    def mlflow(self, result: Any, _id: str | None = None) -> bytes:
        """A response of /invocations. Raises PredictFailed for what has no JSON."""
        return invocations.encode(result)

    def _middle(self, dtype: np.dtype[Any]) -> bytes:
        datatype = datatypes.of_dtype(dtype)
        middle = self._middles[dtype] = f',"datatype":"{datatype}","data":'.encode()
        return middle


def _is_plain(result: Any) -> bool:
    """An array of numbers."""
    if not isinstance(result, np.ndarray) or not result.ndim:
        return False
    return datatypes.of_dtype(result.dtype) != "BYTES"
