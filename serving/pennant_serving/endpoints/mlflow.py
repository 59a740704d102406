"""MLflow's scoring server: what its clients call."""

from __future__ import annotations

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pennant_serving import inference
from pennant_serving.codecs import invocations
from pennant_serving.codecs.frames import CSV, from_csv, from_parquet
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.endpoints.body import read
from pennant_serving.endpoints.media import JSON, form_of
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.model import Model
from pennant_serving.watch import record

MLFLOW_VERSION = version("mlflow-skinny")


async def mlflow_version(_request: Request) -> Response:
    return PlainTextResponse(MLFLOW_VERSION)


async def invoke(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    model = lifecycle.model
    form = form_of(request.headers.get("content-type", JSON))
    body = await read(request)
    async with inference.in_time(model):
        asked = await _decoded(model, form, body)
        record.asked(model, asked.rows)
        result = await model.predict(asked.rows, "mlflow", asked.params)
        record.answered(result)
        answer = await inference.encoded(model, invocations.encode, result)
        return Response(answer, media_type="application/json")


async def _decoded(model: Model, form: str, body: bytes) -> Invocation:
    if form == JSON:
        return await inference.decoded(model, invocations.parse, body)
    if form == CSV:
        return Invocation(await model.codecs.start(from_csv, body, model.bundle.mlmodel))
    return Invocation(await model.codecs.start(from_parquet, body))
