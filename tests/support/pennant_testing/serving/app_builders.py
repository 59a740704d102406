"""Builders for the serving tests: bundles on a volume, a model around an adapter, settings."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx
from starlette.applications import Starlette

from pennant_registry import digest
from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.policy import BatchLimits
from pennant_serving.batching.pool import Pool
from pennant_serving.bundle import manifest
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.manifest import Manifest
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.model.model import Model
from pennant_serving.rows import Rows
from pennant_serving.settings import Settings

SIGNATURE = '[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}]'


class Echo:
    """Answers each row with itself; the row "boom" with an exception."""

    joins = True
    input_example: Sequence[Any] | None = None

    @classmethod
    def load(cls, bundle: Path) -> Self:
        return cls()

    def predict(self, rows: Rows) -> Any:
        answers = list(rows)
        if "boom" in answers:
            raise RuntimeError("boom")
        if "bad" in answers:
            raise ValueError("row 0 is bad")
        return answers


def settings(**changes: Any) -> Settings:
    return Settings(**({"model": "iris", "version": "7"} | changes))


def model(adapter: Any = None, *, pool: Pool | None = None, **limits: Any) -> Model:
    bundle, adapter, pool = Bundle(Path("/nowhere"), None), adapter or Echo(), pool or Pool()
    batcher = Batcher(adapter, pool, BatchLimits(**limits))
    return Model("iris", "7", "test", adapter, bundle, batcher)


class Client:
    """Requests to an application, without a server around it."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self.request("GET", path))

    def post(self, path: str, **content: Any) -> httpx.Response:
        return asyncio.run(self.request("POST", path, **content))

    async def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """For callers with an event loop of their own."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://pod") as http:
            return await http.request(method, path, **content)


def client(adapter: Any = None, *, loaded: bool = True) -> Client:
    """A client of the application, with a model around `adapter` (Echo) or with none yet."""
    lifecycle, own = Lifecycle(), AdapterRoutes()
    if loaded:
        served = model(adapter)
        routes = getattr(served.adapter, "routes", list)
        own.open(routes(), served.batcher)
        lifecycle.ready(served)
    return Client(create_app(settings(), lifecycle, own))


def sklearn_bundle(folder: Path, estimator: Any, *, inputs: str = "[]", **flavor: Any) -> Path:
    """An MLflow model folder with the sklearn flavor, without MLflow."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(estimator))
    values = {"pickled_model": "model.pkl", "serialization_format": "pickle"} | flavor
    lines = [f"    {key}: {value}" for key, value in values.items()]
    signed = ["signature:", f"  inputs: '{inputs}'"] if inputs != "[]" else []
    text = "\n".join(["flavors:", "  sklearn:", *lines, *signed])
    (folder / "MLmodel").write_text(text)
    return folder


def on_volume(model_path: Path, **changes: Any) -> Manifest:
    """Write the manifest of a folder bundle that lies at `model_path` already."""
    facts: dict[str, Any] = {
        "model": "iris",
        "version": "7",
        "source": "mlflow-artifacts:/1/m/artifacts",
    }
    content: dict[str, Any] = {
        "digest": digest.of_path(model_path),
        "kind": "folder",
        "files": 1,
        "bytes": 1,
    }
    written = Manifest(**(facts | content | changes))
    manifest.write(written, manifest.manifest_path(model_path))
    return written


def any_on_volume(folder: Path) -> Path:
    """A bundle for adapters that do not look at theirs, with its manifest; where it lies."""
    path = folder / "bundle"
    path.mkdir()
    (path / "any").write_text("")
    on_volume(path)
    return path
