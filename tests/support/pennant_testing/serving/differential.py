"""The same bytes to MLflow's scoring application and to ours, and both answers."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature

from pennant_serving.adapters import loading
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_testing.serving.app_builders import Client, model, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about type hints that it or we do not have
    from mlflow.pyfunc import PyFuncModel, load_model, save_model, scoring_server

NEEDS = {"pip_requirements": ["scikit-learn"]}  # named: MLflow takes long to find them out


@dataclass(frozen=True)
class ServerAnswer:
    """The parts of a response that clients go by."""

    status: int
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class ServerPair:
    """The same model behind MLflow's server and behind ours."""

    mlflow: PyFuncModel
    ours: Client

    def ask(
        self, body: bytes, content_type: str = "application/json"
    ) -> tuple[ServerAnswer, ServerAnswer]:
        """What each of the two answers: MLflow first."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the requests make libraries do
            return self._theirs(body, content_type), self._ours(body, content_type)

    def _ours(self, body: bytes, content_type: str) -> ServerAnswer:
        headers = {"content-type": content_type}
        answer = self.ours.post("/invocations", content=body, headers=headers)
        return ServerAnswer(answer.status_code, answer.text)

    def _theirs(self, body: bytes, content_type: str) -> ServerAnswer:
        """What its route does, without FastAPI around it."""
        schema = self.mlflow.metadata.get_input_schema()
        try:
            response = scoring_server.invocations(body, content_type, self.mlflow, schema)
        except MlflowException as error:
            return ServerAnswer(error.get_http_status_code(), error.serialize_as_json())
        except Exception as error:  # noqa: BLE001 - FastAPI makes a 500 of it
            return ServerAnswer(500, json.dumps(f"{type(error).__name__}: {error}"))
        return ServerAnswer(response.status, response.response)


def pair(bundle: Path, adapter: str = "auto") -> ServerPair:
    """Both servers around the model in this folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        return ServerPair(load_model(str(bundle)), served(bundle, adapter))


def served(path: Path, adapter: str) -> Client:
    """Our application around the model in this folder."""
    bundle = Bundle(path, read_mlmodel(path))
    name = loading.choose(adapter, bundle).name
    loaded = model(loading.load(name, bundle).adapter)
    lifecycle = Lifecycle()
    lifecycle.ready(replace(loaded, bundle=bundle, adapter_name=name))
    return Client(create_app(settings(), lifecycle, AdapterRoutes()))


class Bundles:
    """Bundles of one model with signatures of many kinds."""

    def __init__(self, folder: Path, python_model: Any) -> None:
        self._folder = folder
        self._count = 0
        self.plain = folder / "plain"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            save_model(self.plain, python_model=python_model, **NEEDS)

    def signed(self, signature: ModelSignature | None) -> Path:
        """A bundle with this signature."""
        self._count += 1
        bundle = self._folder / str(self._count)
        shutil.copytree(self.plain, bundle)
        described = Model.load(bundle)
        described.signature = signature
        described.save(bundle / "MLmodel")
        return bundle
