"""Fixtures of the integration tier: servers that are dear to start are started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlflow_server import mlflow_server


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one real MLflow server for the whole session: tests use their own names."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url
