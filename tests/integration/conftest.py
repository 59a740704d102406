"""Fixtures of the integration tier: servers that are dear to start are started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlflow_server import mlflow2, mlflow_server


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one real MLflow server for the whole session: tests use their own names."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture(scope="session")
def mlflow2_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one real MLflow 2 server for the whole session."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow2"), mlflow2()) as url:
        yield url


@pytest.fixture
def either_mlflow(request: pytest.FixtureRequest) -> str:
    """The address of the server that the test is parametrized with, by its fixture's name."""
    return str(request.getfixturevalue(request.param))
