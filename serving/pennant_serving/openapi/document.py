"""The OpenAPI document of one loaded model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs import datatypes
from pennant_serving.codecs.media import CSV, JSON, PARQUET
from pennant_serving.model import metadata
from pennant_serving.model.model import Model
from pennant_serving.openapi import examples

JSON_TYPES = {"BOOL": "boolean", "FP16": "number", "FP32": "number", "FP64": "number"}
"""By datatype; BYTES are strings, and the rest integers."""
PROBES = {
    "/v2/health/live": "The process answers",
    "/v2/health/ready": "The model is loaded and traffic is welcome",
    "/v2": "What this server is",
    "/ping": "MLflow's health check",
    "/health": "MLflow's health check",
    "/version": "The version of MLflow",
    "/metrics": "Metrics for Prometheus",
    "/metrics/answers": "What the model answered in the last seconds",
}


def document(model: Model, own: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Every path that this pod answers; `own` are the adapter's, as (method, path)."""
    base = f"/v2/models/{model.name}"
    paths = {
        f"{base}/infer": {"post": _infer(model)},
        "/invocations": {"post": _invoke(model)},
        base: {"get": _get("Inputs and outputs of the model")},
        f"{base}/ready": {"get": _get("Whether the model can be asked")},
        **{path: {"get": _get(summary)} for path, summary in PROBES.items()},
    }
    for method, path in own:
        paths.setdefault(path, {})[method.lower()] = _own(path)
    return {
        "openapi": "3.1.0",
        "info": {"title": model.name, "version": model.version, "description": _about(model)},
        "paths": paths,
    }


def _about(model: Model) -> str:
    return f"Version {model.version} of {model.name}, served by adapter {model.adapter_name}."


def _infer(model: Model) -> dict[str, Any]:
    rows = examples.rows_of(model)
    example = {} if rows is None else {"example": examples.inference(rows, model)}
    names = [each["name"] for each in metadata.of_model(model)["outputs"]]
    output = {"type": "object", "properties": {"name": {"examples": names}}, "required": ["name"]}
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "inputs": {"type": "array", "minItems": 1, "items": TENSOR},
            "outputs": {"type": "array", "items": output},
            "parameters": {"type": "object"},
        },
    }
    return {
        "summary": "Open Inference Protocol V2",
        "requestBody": {"required": True, "content": {JSON: {"schema": schema} | example}},
        "responses": _responses({"type": "object"}),
    }


def _invoke(model: Model) -> dict[str, Any]:
    mlmodel = model.bundle.mlmodel
    rows = examples.rows_of(model)
    example = {} if rows is None else {"example": examples.invocation(rows, mlmodel)}
    table = {"type": "array", "items": _record(mlmodel)}
    properties: dict[str, Any] = {
        "dataframe_split": {"type": "object", "required": ["data"]},
        "dataframe_records": table,
        "instances": {"type": "array"},
        "inputs": {},
    }
    params = {each["name"]: _param(each) for each in (mlmodel.params if mlmodel else ())}
    schema = {
        "type": "object",
        "oneOf": [{"required": [form]} for form in properties],
        "properties": properties | {"params": {"type": "object", "properties": params}},
    }
    text = {"schema": {"type": "string"}}
    content = {JSON: {"schema": schema} | example, CSV: text, PARQUET: text}
    return {
        "summary": "MLflow's scoring protocol",
        "requestBody": {"required": True, "content": content},
        "responses": _responses({"type": "object", "properties": {"predictions": {}}}),
    }


def _record(mlmodel: MLmodel | None) -> dict[str, Any]:
    columns = mlmodel.columns if mlmodel else ()
    named = {each.name: each for each in columns if each.name}
    properties = {name: {"type": _json_type(each.type)} for name, each in named.items()}
    required = [name for name, each in named.items() if each.required]
    return {"type": "object", "properties": properties, "required": required}


def _param(param: dict[str, Any]) -> dict[str, Any]:
    kind = {"type": _json_type(str(param["type"]))}
    schema = kind if param.get("shape") is None else {"type": "array", "items": kind}
    return schema | {"default": param.get("default")}


def _json_type(mlflow_type: str) -> str:
    datatype = datatypes.MLFLOW_TYPES.get(mlflow_type, "BYTES")
    return "string" if datatype == "BYTES" else JSON_TYPES.get(datatype, "integer")


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "Yes"}}}


def _own(path: str) -> dict[str, Any]:
    names = [part.strip("{}").partition(":")[0] for part in path.split("/") if "{" in part]
    schema = {"type": "string"}
    parameters = [{"name": n, "in": "path", "required": True, "schema": schema} for n in names]
    return _get("The adapter's own") | {"parameters": parameters}


def _responses(schema: dict[str, Any]) -> dict[str, Any]:
    failures = {
        "400": "The request is malformed or does not fit the model",
        "500": "The model raised",
        "503": "Not ready, or too many requests wait",
    }
    answered = {"description": "The answer", "content": {JSON: {"schema": schema}}}
    return {"200": answered} | {code: {"description": text} for code, text in failures.items()}


TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"enum": list(datatypes.NAMES)},
        "data": {"type": "array"},
        "parameters": {"type": "object"},
    },
}
