"""What serves and remembers, what asks it, and versions that rehearse in this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.runner import Observer
from pennant_serving.batching.timing import Timing
from pennant_serving.failures import PodError
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.rehearsed import Rehearsed
from pennant_serving.model.model import Model
from pennant_serving.process.startup import load
from pennant_serving.rehearsal.rehearse import rehearse
from pennant_serving.settings import Settings
from pennant_testing.serving.serving_process import Serving

TOKEN = "f" * 64
INFER = "/v2/models/iris/infer"
CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}


def remembering(revision: str = "r7", **more: str) -> dict[str, str]:
    """The variables of a pod that remembers requests; nobody serves before it."""
    return {
        "PENNANT_REHEARSAL_REQUESTS": "200",
        "PENNANT_REHEARSAL_TOKEN": TOKEN,
        "PENNANT_REHEARSAL_ADDRESS": "127.0.0.1:9",
        "PENNANT_REVISION": revision,
    } | more


def candidate(pod: Serving, **more: str) -> dict[str, str]:
    """Those of the version that comes after what this pod serves."""
    address = {"PENNANT_REHEARSAL_ADDRESS": f"127.0.0.1:{pod.port}"}
    return remembering("r8", **address) | {"PENNANT_MODEL_VERSION": "8"} | more


def ask(pod: Serving, count: int) -> None:
    """Requests in turn by all protocols and forms; of each form every third lacks a value."""
    with contextlib.closing(pod.connect()) as connection:
        for number in range(count):
            form, lacks = number % 4, number // 4 % 3 == 0
            path, body, headers = _request(form, float(number), None if lacks else number / 2)
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content


def _request(form: int, a: float, b: float | None) -> tuple[str, bytes, dict[str, str]]:
    if form == 0:
        return "/invocations", _json({"dataframe_records": [{"a": a, "b": b}]}), JSON
    if form == 1:
        return "/invocations", f"a,b\n{a},{'' if b is None else b}\n".encode(), CSV
    tensor: dict[str, Any] = {"name": "x", "shape": [1, 2], "datatype": "FP64"}
    if form == 2:
        return INFER, _json({"inputs": [tensor | {"data": [a, b]}]}), JSON
    raw = np.array([[a, np.nan if b is None else b]]).tobytes()
    binary = tensor | {"parameters": {"binary_data_size": len(raw)}}
    head = _json({"inputs": [binary], "parameters": {"binary_data_output": True}})
    return INFER, head + raw, {"Inference-Header-Content-Length": str(len(head))}


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


def outcome(path: Path, variables: dict[str, str]) -> Rehearsed | PodError:
    """What comes of a rehearsal of the version in this folder, in this process."""
    settings = Settings.from_env(
        {"PENNANT_MODEL_NAME": "iris", "PENNANT_MODEL_PATH": str(path)} | variables
    )
    try:
        return asyncio.run(_rehearsed(settings))
    except PodError as error:
        return error


async def _rehearsed(settings: Settings) -> Rehearsed:
    loaded, own = load(settings), AdapterRoutes()
    adapter = loaded.choice.adapter
    assert adapter is not None
    batcher = Batcher(adapter, Pool(), settings.limits, Timing(Observer()))
    identity = settings.model, settings.version, loaded.choice.name
    own.open([], batcher)
    return await rehearse(settings, Model(*identity, adapter, loaded.bundle, batcher), own)
