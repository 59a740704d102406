"""MLflow's scoring server: what its clients call."""

from __future__ import annotations

import contextlib
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pennant_serving import inference
from pennant_serving.codecs import invocations
from pennant_serving.codecs.frames import from_csv, from_parquet
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.codecs.media import CSV, JSON, form_of
from pennant_serving.errors import InvalidInput
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.model import Model
from pennant_serving.watch import record

MLFLOW_VERSION = version("mlflow-skinny")


async def mlflow_version(_request: Request) -> Response:
    return PlainTextResponse(MLFLOW_VERSION)


async def invoke(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    model, bodies = lifecycle.model, request.app.state.bodies
    form = form_of(request.headers.get("content-type", JSON))
    async with bodies.read(request) as body, inference.in_time(model):
        asked = await _decoded(model, form, body)
        record.asked(model, asked.rows)
        result = await model.predict(asked.rows, "mlflow", asked.params)
        record.answered(result)
        return Response(invocations.encode(result), media_type="application/json")


async def _decoded(model: Model, form: str, body: bytes) -> Invocation:
    """Adapters of MLflow's models read their requests themselves, plain ones at once."""
    read_plain = getattr(model.adapter, "read_plain", None)
    if form == JSON and read_plain is not None:
        with contextlib.suppress(InvalidInput):
            return await inference.decoded(model, read_plain, body)
    read = getattr(model.adapter, "read", None)
    if read is not None:
        asked: Invocation = await model.batcher.aside(read, form, body)
        return asked
    if form == JSON:
        return await inference.decoded(model, invocations.parse, body)
    if form == CSV:
        return Invocation(await model.batcher.aside(from_csv, body, model.bundle.mlmodel))
    return Invocation(await model.batcher.aside(from_parquet, body))
