"""Open Inference Protocol V2."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving.codecs import v2
from pennant_serving.endpoints.body import read_json
from pennant_serving.errors import NoSuchModel
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.model import Model
from pennant_serving.settings import Settings

SERVER = {"name": "pennant-serving", "version": version("pennant"), "extensions": []}


async def server(_request: Request) -> Response:
    return JSONResponse(SERVER)


async def model_metadata(request: Request) -> Response:
    _check_path(request)
    return JSONResponse(_metadata(_model(request)))


async def model_ready(request: Request) -> Response:
    _check_path(request)
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_ready = lifecycle.is_ready
    content = {"name": request.path_params["model"], "ready": is_ready}
    return JSONResponse(content, status_code=200 if is_ready else 503)


async def infer(request: Request) -> Response:
    _check_path(request)
    model = _model(request)
    asked = v2.decode(await read_json(request))
    result = await model.predict(asked.rows, "v2")
    body = v2.encode(result, asked, model.name, model.version)
    return Response(body, media_type="application/json")


def _model(request: Request) -> Model:
    lifecycle: Lifecycle = request.app.state.lifecycle
    return lifecycle.model


def _check_path(request: Request) -> None:
    """Raises NoSuchModel: a client that asks for a version must never get another one's answer."""
    settings: Settings = request.app.state.settings
    asked = (request.path_params["model"], request.path_params.get("version", settings.version))
    if asked != (settings.model, settings.version):
        raise NoSuchModel(
            f"there is no version {asked[1]} of {asked[0]} here: this server has version"
            f" {settings.version} of {settings.model}"
        )


def _metadata(model: Model) -> dict[str, Any]:
    mlmodel = model.bundle.mlmodel
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": model.adapter_name,
        "inputs": [_tensor(each) for each in mlmodel.inputs] if mlmodel else [],
        "outputs": [_tensor(each) for each in mlmodel.outputs] if mlmodel else [],
    }


def _tensor(entry: dict[str, Any]) -> dict[str, Any]:
    """One input or output of MLflow's signature in V2's words."""
    spec = entry.get("tensor-spec")
    datatype = DATATYPES.get(spec["dtype"] if spec else str(entry["type"]), "BYTES")
    shape = spec["shape"] if spec else [-1]
    return {"name": entry.get("name") or "predict", "datatype": datatype, "shape": shape}


DATATYPES = {
    "boolean": "BOOL",
    "bool": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    **{f"int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}
