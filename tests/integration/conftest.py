"""Fixtures of the integration tier: servers that are dear to start are started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_dev.binaries import ensure
from pennant_dev.controlplane import ControlPlane, control_plane
from pennant_operator.observe.mlflow import http as mlflow_http
from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.install_tools import Tools
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import mlflow2, mlflow_server


@pytest.fixture(scope="session")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that server keeps its data and its log."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="session")
def mlflow_url(mlflow_folder: Path) -> Iterator[str]:
    """The address of one real MLflow server for the whole session: tests use their own names."""
    with mlflow_server(mlflow_folder) as url:
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


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry is given up by this process while a test may take: the machine may be busy."""
    monkeypatch.setattr(mlflow_http, "REQUEST_SECONDS", 300.0)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One API server with the definitions for the whole session: `objects` are on it."""
    ensure("kubelite", "etcd")
    folder = tmp_path_factory.mktemp("plane")
    with control_plane(folder, Audit.flags(folder)) as started:
        Objects(started).install()
        yield started


@pytest.fixture(scope="module")
def objects(plane: ControlPlane) -> Iterator[Objects]:
    """The objects on it; no operator of another module will find any that are ours."""
    objects = Objects(plane)
    yield objects
    objects.clear()


@pytest.fixture(scope="session")
def audit(plane: ControlPlane) -> Audit:
    """What it says that operators did who use `operator_config`."""
    return Audit.of(plane.folder)


@pytest.fixture(scope="session")
def operator_config(plane: ControlPlane, audit: Audit) -> Iterator[Path]:
    """The kubeconfig of an operator whose requests are in `audit`, and all within its rights."""
    yield Audit.kubeconfig(plane)
    assert audit.forbidden() == {}


@pytest.fixture(scope="session")
def tools(plane: ControlPlane) -> Tools:
    """Helm and kubectl on that API server."""
    return Tools(plane.kubeconfig)


@pytest.fixture(scope="module")
def running(
    objects: Objects, operator_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """One operator for the tests of a module."""
    with operator(operator_config, tmp_path_factory.mktemp("operator")) as started:
        yield started


@pytest.fixture(scope="module")
def default_registry(objects: Objects, mlflow_url: str) -> None:
    """The ModelRegistry `default`, of that server."""
    Stage(objects, NAMESPACE).registry("default", mlflow_url)
