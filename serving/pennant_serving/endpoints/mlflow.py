"""MLflow's scoring server: what its clients call."""

from __future__ import annotations

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pennant_serving.codecs import invocations
from pennant_serving.endpoints.body import read_json
from pennant_serving.lifecycle import Lifecycle

MLFLOW_VERSION = version("mlflow-skinny")


async def mlflow_version(_request: Request) -> Response:
    return PlainTextResponse(MLFLOW_VERSION)


async def invoke(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    model = lifecycle.model
    rows = invocations.decode(await read_json(request))
    result = await model.predict(rows, "mlflow")
    return Response(invocations.encode(result), media_type="application/json")
