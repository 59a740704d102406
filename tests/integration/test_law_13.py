"""Law 13: a registry's credentials go to that registry, and nobody else is called. Real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.observe.mlflow.credentials import credentials
from pennant_operator.observe.mlflow.http import MlflowHttp
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import Credentials, FetchSettings, Wanted
from pennant_testing.control_plane.applied_objects import model_deployment, model_registry
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.mlflow.recording_server import (
    RecordedAnswer,
    Recorder,
    as_json,
    recorder,
    redirect_to,
    registry,
    the_file,
)
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

SECRET = {"MLFLOW_TRACKING_USERNAME": "operator", "MLFLOW_TRACKING_PASSWORD": "of-the-registry"}
TEAM = "law-13"
THEIRS = {"MLFLOW_TRACKING_USERNAME": "team", "MLFLOW_TRACKING_PASSWORD": "of-the-team"}
PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy")
KINDS = ("Deployment", "ControllerRevision", "Service", "ConfigMap", "Event", "Secret", "Pod")


def ask(url: str) -> Any:
    """One question of the operator's, with credentials."""

    async def asked() -> Any:
        spec = parse_registry({"metadata": {"name": "default"}, "spec": {"url": url}})
        http = MlflowHttp(spec, credentials(SECRET))
        try:
            return await http.get("registered-models/get", {"name": "news"})
        finally:
            await http.close()

    return asyncio.run(asked())


def through(monkeypatch: pytest.MonkeyPatch, proxy: Recorder) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)


def test_law_13_the_operator_follows_no_redirect():
    with (
        recorder(registry) as elsewhere,
        recorder(redirect_to(elsewhere.url)) as moved,
        pytest.raises(RegistryTroubleError, match="redirects"),
    ):
        ask(moved.url)
    assert elsewhere.paths == []


def test_law_13_the_operator_speaks_to_the_registry_and_to_no_proxy(monkeypatch):
    with recorder(registry) as proxy, recorder(registry) as right:
        through(monkeypatch, proxy)
        ask(right.url)
    assert (len(right.paths), proxy.paths) == (1, [])


# fetch


def wanted(source: str, url: str, folder: Path, *allowed: str) -> FetchSettings:
    return FetchSettings(
        Wanted("news", "1", source),
        folder / "bundle",
        url,
        allowed_sources=allowed or ("mlflow-artifacts:/",),
        credentials=Credentials("team", "of-the-team"),
        patience=0.3,
    )


def artifact(path: str) -> RecordedAnswer:
    """One file, as MLflow's artifact proxy has it."""
    return as_json({}) if "path=" in path else the_file(path)


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts://{elsewhere}/1/run/artifacts/m",
        "http://{elsewhere}/m",
        "models:/news@production",
        "runs:/run/m",
        "mlflow-artifacts:/1/../../2/m",
        "mlflow-artifacts:/1/%252e%252e/m",
        "file:///etc/passwd",
    ],
)
def test_law_13_fetch_asks_nobody_for_a_source_that_is_not_allowed(source: str, tmp_path: Path):
    with recorder(artifact) as elsewhere, recorder(artifact) as right:
        source = source.format(elsewhere=elsewhere.url.removeprefix("http://"))
        with pytest.raises(PodError) as refused:
            fetch(wanted(source, right.url, tmp_path))
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED
    assert (elsewhere.paths, right.paths) == ([], [])


def test_law_13_fetch_takes_no_credentials_along_a_redirect(tmp_path: Path):
    with recorder(the_file) as elsewhere:
        away = redirect_to(elsewhere.url)
        with recorder(lambda p: artifact(p) if "path=" in p else away(p)) as right:
            fetch(wanted("mlflow-artifacts:/1/run/artifacts/m", right.url, tmp_path))
    assert elsewhere.credentials == {None}
    assert None not in right.credentials


def test_law_13_fetch_speaks_to_the_registry_and_to_no_proxy(monkeypatch, tmp_path: Path):
    with recorder(artifact) as proxy, recorder(artifact) as right:
        through(monkeypatch, proxy)
        fetch(wanted("mlflow-artifacts:/1/run/artifacts/m", right.url, tmp_path))
    assert proxy.paths == []
    assert None not in right.credentials


def run_fetch(source: str, registry_url: str, folder: Path) -> None:
    """The container's process, with a source that MLflow's own client downloads."""
    variables = {
        "PENNANT_MODEL_NAME": "news",
        "PENNANT_MODEL_VERSION": "1",
        "PENNANT_MODEL_SOURCE": source,
        "PENNANT_MODEL_PATH": str(folder / "bundle"),
        "PENNANT_REGISTRY_URL": registry_url,
        "PENNANT_ALLOWED_SOURCES": source,
        "PENNANT_TERMINATION_LOG": str(folder / "log"),
        **THEIRS,
    }
    command = [sys.executable, "-m", "pennant_serving.fetch"]
    subprocess.run(command, env=os.environ | variables, timeout=120, check=True)
    assert (folder / "bundle" / "m").read_bytes() == b"the bytes"


def test_law_13_another_server_gets_none_of_the_registrys_credentials(tmp_path: Path):
    with recorder(artifact) as store, recorder(artifact) as right:
        run_fetch(f"{store.url}/api/2.0/mlflow-artifacts/artifacts/m", right.url, tmp_path)
    assert store.credentials == {None}


def test_law_13_the_registry_gets_them_by_whatever_name_its_artifacts_have(tmp_path: Path):
    with recorder(artifact) as right:
        run_fetch(f"{right.url}/api/2.0/mlflow-artifacts/artifacts/m", right.url, tmp_path)
    assert None not in right.credentials


# The operator's process, with everybody's Secrets on a real API server.


@pytest.fixture
def running(operator_config: Path, objects: Objects, tmp_path: Path) -> Iterator[Operator]:
    for namespace, data in ((NAMESPACE, SECRET), (objects.namespace(TEAM), THEIRS)):
        meta = {"name": "mlflow", "namespace": namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}
        objects.apply(secret)
    with operator(operator_config, tmp_path) as started:
        yield started


def a_registry(objects: Objects, namespace: str, name: str, url: str, **spec: Any) -> None:
    values = {"credentialsSecret": "mlflow"} | spec
    objects.apply(model_registry(namespace, url, name, **values))


def follow(objects: Objects, name: str, model: str, registry: str = "default") -> None:
    serving = {"credentialsSecret": "mlflow"}
    objects.apply(model_deployment(TEAM, model, name, registry=registry, serving=serving))


def stalled(objects: Objects, name: str) -> str | None:
    status = (objects.get("ModelDeployment", TEAM, name) or {}).get("status", {})
    conditions = [c for c in status.get("conditions", ()) if c["type"] == "Stalled"]
    return conditions[0]["reason"] if conditions else None


def with_deployments(objects: Objects) -> set[str]:
    deployments = objects.list("Deployment", TEAM)
    return {each["metadata"]["labels"]["pennant.dev/deployment"] for each in deployments}


def test_law_13_the_operators_credentials_go_to_that_registry_and_into_no_child(
    objects: Objects, running: Operator
):
    with recorder(registry) as right, recorder(registry) as other, recorder(registry) as theirs:
        a_registry(objects, NAMESPACE, "default", right.url, allowedModels=["news"])
        a_registry(objects, NAMESPACE, "open", other.url, credentialsSecret="")
        a_registry(objects, TEAM, "mine", theirs.url)
        for name, model, by in (
            ("rec", "news", "default"),
            ("open", "news", "open"),
            ("mine", "news", "mine"),
            ("closed", "secrets", "default"),
        ):
            follow(objects, name, model, by)
        until(lambda: {"rec", "open"} <= with_deployments(objects))
        until(lambda: stalled(objects, "mine") == "RegistryNotFound")
        until(lambda: stalled(objects, "closed") == "NotAllowed")
    pair = base64.b64encode(b"operator:of-the-registry").decode()
    assert right.credentials == {f"Basic {pair}"}
    assert other.credentials == {None}
    assert theirs.paths == []
    assert not [path for path in right.paths if "secrets" in path]
    written = [o for kind in KINDS for o in objects.list(kind, TEAM)]
    text = json.dumps(written, default=str) + running.log.read_text()
    password = "of-the-registry"
    assert password not in text
    assert base64.b64encode(password.encode()).decode() not in text
    assert pair not in text
