"""MLflow's scoring server: what its clients call."""

from __future__ import annotations

import contextlib
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pennant_serving import inference
from pennant_serving.batching.weight import MANY_VALUES
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs import invocations
from pennant_serving.codecs.frames import from_csv, from_parquet
from pennant_serving.codecs.invocations import Invocation
from pennant_serving.codecs.media import CSV, JSON, form_of
from pennant_serving.codecs.seen import seen
from pennant_serving.errors import InvalidInput
from pennant_serving.http.endpoints.body import read
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.model.model import Model
from pennant_serving.rows import Prepared, Rows
from pennant_serving.sampling import record

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
        try:
            result = await model.predict(asked.rows, "mlflow", asked.params)
        except InvalidInput as error:
            raise model.unfit(error, asked.rows) from error
        record.answered(result)
        answer = inference.encoded(model, asked.rows, invocations.encode, result)
        del asked, result
        return Response(await answer, media_type="application/json")


async def _decoded(model: Model, form: str, body: bytes) -> Invocation[Rows | Prepared]:
    try:
        return await _read(model, form, body)
    except InvalidInput as error:
        raise model.unfit(error, seen(form, body)) from error


async def _read(model: Model, form: str, body: bytes) -> Invocation[Rows | Prepared]:
    """Adapters of MLflow's models read their requests themselves, plain ones without MLflow."""
    read_plain = getattr(model.adapter, "read_plain", None)
    if form == JSON and read_plain is not None:
        with contextlib.suppress(InvalidInput):
            return await inference.decoded(model, read_plain, body)
    by_mlflow = getattr(model.adapter, "read", None)
    if by_mlflow is not None:
        return await inference.worked(model, MANY_VALUES, by_mlflow, form, body)
    if form == JSON:
        return await inference.decoded(model, invocations.parse, body)
    # The first of them imports pandas, which is always a lot of work.
    if form == CSV:
        return await inference.worked(model, MANY_VALUES, _csv, body, model.bundle.mlmodel)
    return await inference.worked(model, MANY_VALUES, _parquet, body)


def _csv(body: bytes, mlmodel: MLmodel | None) -> Invocation[Rows]:
    return Invocation(from_csv(body, mlmodel))


def _parquet(body: bytes) -> Invocation[Rows]:
    return Invocation(from_parquet(body))
