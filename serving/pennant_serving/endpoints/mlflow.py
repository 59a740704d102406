"""MLflow's scoring server: what its clients call."""

from __future__ import annotations

from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pennant_serving import inference
from pennant_serving.codecs import invocations
from pennant_serving.codecs.frames import CSV, from_csv, from_parquet
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.endpoints.body import read
from pennant_serving.endpoints.media import JSON, form_of
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.mlmodel import MLmodel
from pennant_serving.model import Model
from pennant_serving.watch import record
from pennant_serving.weight import MUCH

MLFLOW_VERSION = version("mlflow-skinny")


async def mlflow_version(_request: Request) -> Response:
    return PlainTextResponse(MLFLOW_VERSION)


async def invoke(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    model = lifecycle.model
    form = form_of(request.headers.get("content-type", JSON))
    decoding = _decoded(model, form, await read(request))
    async with inference.in_time(model):
        asked = await decoding
        record.asked(model, asked.rows)
        result = await model.predict(asked.rows, "mlflow", asked.params)
        record.answered(result)
        answer = inference.encoded(model, asked.rows, invocations.encode, result)
        del asked, result
        return Response(await answer, media_type="application/json")


def _decoded(model: Model, form: str, body: bytes) -> Coroutine[Any, Any, Invocation]:
    if form == JSON:
        return inference.decoded(model, invocations.parse, body)
    # The first of them imports pandas, which is always a lot of work.
    if form == CSV:
        return inference.worked(model, MUCH, _csv, body, model.bundle.mlmodel)
    return inference.worked(model, MUCH, _parquet, body)


def _csv(body: bytes, mlmodel: MLmodel | None) -> Invocation:
    return Invocation(from_csv(body, mlmodel))


def _parquet(body: bytes) -> Invocation:
    return Invocation(from_parquet(body))
