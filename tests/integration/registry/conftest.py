"""What tests of the registry library start from: a server, and versions to move about."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import pennant_registry


@pytest.fixture(params=["mlflow_url", "mlflow2_url"], ids=["mlflow3", "mlflow2"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A client of the server that the library is configured for: MLflow 3 and 2, one by one."""
    url = request.getfixturevalue(request.param)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    # The library would give up after a few seconds, and the machine may have other things to do.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.delenv("PENNANT_MODEL_PATH", raising=False)
    return MlflowClient(tracking_uri=url)


@pytest.fixture
def name() -> str:
    return f"model-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def run(client: MlflowClient, tmp_path: Path) -> Callable[..., str]:
    """Makes a run that has logged a pickle of `content` as model.pkl; its id."""

    def make(content: Any = "weights", metrics: dict[str, float] | None = None, **tags: str) -> str:
        run_id = client.create_run("0", tags=tags).info.run_id
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps(content))
        client.log_artifact(run_id, str(path))
        for metric, value in (metrics or {}).items():
            client.log_metric(run_id, metric, value)
        return str(run_id)

    return make


@pytest.fixture
def registered(run: Callable[..., str], name: str) -> Callable[..., int]:
    """Registers a new run's pickle under this test's model; the version's number."""
    return lambda *args, **kwargs: pennant_registry.register(
        run(*args, **kwargs), "model.pkl", name
    )
