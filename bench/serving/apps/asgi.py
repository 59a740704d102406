"""A bare ASGI application: the prediction in the event loop, the request sent back, or neither.

With nothing between the socket and the model, it says what a framework may cost at most; without
the model, how fast the machine, uvicorn and the load generator go together.
"""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import orjson

JSON = [(b"content-type", b"application/json")]
MODEL = os.environ.get("BENCH_MODEL")  # noqa: TID251 - a script of its own
ECHO = os.environ.get("BENCH_ECHO")  # noqa: TID251
PIPELINE = pickle.loads(Path(MODEL).read_bytes()) if MODEL else None


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """One request: its body is read, answered, and that is all."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": JSON})
    await send({"type": "http.response.body", "body": answer(body)})


def answer(body: bytes) -> bytes:
    """The answer to one V2 request."""
    if PIPELINE is None and not ECHO:
        return b'{"outputs":[{"name":"output","shape":[1],"datatype":"INT64","data":[0]}]}'
    asked = orjson.loads(body)
    tensor = asked["inputs"][0]
    if PIPELINE is None:
        response = {"id": asked["id"], "outputs": [tensor | {"name": "output"}]}
        return orjson.dumps(response)
    labels = PIPELINE.predict(np.array(tensor["data"]).reshape(tensor["shape"]))
    output = {
        "name": "output",
        "shape": labels.shape,
        "datatype": "INT64",
        "data": labels,
    }
    response = {"id": asked["id"], "outputs": [output]}
    return orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)
