"""fetch from a real S3 server, which also keeps the artifacts of a real MLflow server."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.sklearn import log_model
from sklearn.linear_model import LinearRegression

from pennant_dev.pki import Authority
from pennant_operator.decide.registry.sources import allowed_with_root, with_pull_source
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_registry import digest
from pennant_registry.sources import DEFAULT_ALLOWED
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings
from pennant_testing.mlflow.lying_proxy import lying_proxy
from pennant_testing.mlflow.mlflow_server import mlflow_server
from pennant_testing.mlflow.s3_server import (
    BUCKET,
    S3,
    BreakingWire,
    mlflow_s3_variables,
    s3_server,
)
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

ROOT = f"s3://{BUCKET}/mlflow"
NOBODY = "http://127.0.0.1:9"
BIG = 50 << 20


@dataclass(frozen=True)
class Logged:
    """What one training run left, by the server's names for it."""

    url: str
    model: str
    run: str


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def logged(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder, variables = tmp_path_factory.mktemp("mlflow-s3"), mlflow_s3_variables(s3)
    with mlflow_server(folder, artifacts=ROOT, environ=variables) as url:
        mlflow.set_tracking_uri(url)
        client = MlflowClient(url)
        estimator = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about its own
            with mlflow.start_run() as run:
                # Named, because MLflow takes long to find them out.
                needs = ["scikit-learn"]
                log_model(
                    estimator,
                    name="model",
                    registered_model_name="direct",
                    pip_requirements=needs,
                )
                mlflow.log_text("the bytes", "folder with space/naïve file.txt")
                mlflow.log_text("the bytes", "model.pkl")
        artifacts = client.get_run(run.info.run_id).info.artifact_uri
        model = client.get_model_version_download_uri("direct", "1")
        yield Logged(url, model, artifacts)
        mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def big(s3: S3) -> bytes:
    content = random.Random(7).randbytes(BIG)
    s3.put("mlflow/big/model.bin", content)
    return content


def direct(source: str) -> str:
    """Where the operator, in mode Direct, has pods pull a source from."""
    version = ModelVersion("direct", "1", 0, source)
    pulled = with_pull_source(version, ROOT, DEFAULT_ALLOWED, registry="default")
    assert isinstance(pulled, ModelVersion)
    return pulled.source


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """FetchSettings of fetch with these credentials, which its library looks up by itself."""

    def prepared(credentials: dict[str, str], source: str, url: str = NOBODY, **more: str):
        variables = {
            "PENNANT_MODEL_NAME": "direct",
            "PENNANT_MODEL_VERSION": "1",
            "PENNANT_MODEL_SOURCE": source,
            "PENNANT_MODEL_PATH": str(tmp_path / "models" / "bundle"),
            "PENNANT_REGISTRY_URL": url,
            "PENNANT_ALLOWED_SOURCES": ",".join(allowed_with_root(DEFAULT_ALLOWED, ROOT)),
            "PENNANT_FETCH_PATIENCE": "3",
            **credentials,
            **more,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return FetchSettings.from_env(variables)

    return prepared


def failure(settings: FetchSettings) -> PodError:
    with pytest.raises(PodError) as raised:
        fetch(settings)
    assert list(settings.model_path.parent.iterdir()) == []  # nothing half
    return raised.value


def test_a_model_is_pulled_past_the_server_that_logged_it(s3, logged, prepare):
    with lying_proxy(logged.url) as mlflow_itself:
        read = prepare(s3.credentials, direct(logged.model), mlflow_itself.url)
        fetched, cached = fetch(read)
        assert mlflow_itself.asked == []
    assert not cached
    assert fetched.digest == digest.of_path(read.model_path)
    assert (read.model_path / "MLmodel").is_file()


def test_the_bytes_are_those_that_the_server_itself_hands_out(s3, logged, prepare, tmp_path):
    proxied = prepare({}, logged.run, logged.url, PENNANT_MODEL_PATH=str(tmp_path / "p" / "b"))
    fetched = fetch(prepare(s3.credentials, direct(logged.run)))[0]
    assert fetched.digest == fetch(proxied)[0].digest
    file = tmp_path / "models" / "bundle" / "folder with space" / "naïve file.txt"
    assert file.read_text() == "the bytes"


def test_a_single_file_is_pulled_as_one(s3, logged, prepare, tmp_path):
    fetched, _ = fetch(prepare(s3.credentials, direct(f"{logged.run}/model.pkl")))
    file = tmp_path / "models" / "bundle" / "model.pkl"
    assert (fetched.kind, fetched.digest) == ("file", digest.of_path(file))


def test_a_big_file_arrives_whole(s3, big, prepare, tmp_path):
    fetched, _ = fetch(prepare(s3.credentials, f"{ROOT}/big"))
    assert fetched.bytes == BIG
    assert (tmp_path / "models" / "bundle" / "model.bin").read_bytes() == big


@pytest.mark.parametrize("path", ["missing.pkl", "missing/folder"])
def test_what_the_store_does_not_have_is_missing(s3, logged, prepare, path):
    found = failure(prepare(s3.credentials, direct(f"{logged.run}/{path}")))
    assert found.reason is Reason.BUNDLE_MISSING


def test_a_bucket_that_is_not_there_is_a_setting_and_no_fault_of_the_version(s3, prepare):
    source, allowed = "s3://another/model", "s3://another"
    found = failure(prepare(s3.credentials, source, PENNANT_ALLOWED_SOURCES=allowed))
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert "NoSuchBucket" in found.message
    assert "spec.artifacts.root" in found.message


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_told_and_not_repeated(s3, logged, prepare, wrong):
    found = failure(prepare(s3.credentials, direct(logged.model), **{wrong: "mistyped"}))
    assert found.reason is Reason.CREDENTIALS_MISSING
    assert "serving.credentialsSecret" in found.message
    assert s3.credentials["AWS_SECRET_ACCESS_KEY"] not in found.message


def test_a_user_without_the_right_is_refused(s3, logged, prepare):
    found = failure(prepare(s3.user("ann", "anns secret"), direct(logged.model)))
    assert found.reason is Reason.CREDENTIALS_MISSING
    assert "AccessDenied" in found.message


def test_no_credentials_and_no_identity_are_told(s3, logged, prepare, monkeypatch):
    read = prepare(s3.credentials, direct(logged.model))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    found = failure(read)
    assert found.reason is Reason.CREDENTIALS_MISSING
    assert "no cloud identity" in found.message


def test_a_download_that_breaks_off_goes_on_where_it_was(s3, big, prepare, tmp_path):
    with BreakingWire(s3.url, after=5 << 20, breaks=3) as wire:
        fetch(prepare(s3.credentials, f"{ROOT}/big", MLFLOW_S3_ENDPOINT_URL=wire.url))
    assert wire.broken == 3
    assert (tmp_path / "models" / "bundle" / "model.bin").read_bytes() == big


def test_through_the_server_a_broken_download_starts_anew_and_arrives_whole(
    s3, logged, big, prepare, tmp_path
):
    """MLflow fetches the object first and streams it then: without a length, and from the start."""
    with BreakingWire(logged.url, after=5 << 20, breaks=2) as wire:
        fetch(prepare({}, "mlflow-artifacts:/big/model.bin", wire.url))
    assert wire.broken == 2
    assert (tmp_path / "models" / "bundle" / "model.bin").read_bytes() == big


def test_a_store_that_always_breaks_off_leaves_nothing_half(s3, big, prepare):
    with BreakingWire(s3.url, after=0, breaks=None) as wire:
        found = failure(prepare(s3.credentials, f"{ROOT}/big", MLFLOW_S3_ENDPOINT_URL=wire.url))
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert wire.broken > 1  # it was tried again


def test_a_store_that_stalls_is_given_up(s3, big, prepare):
    with BreakingWire(s3.url, after=5 << 20, breaks=None, stalls=True) as wire:
        through = {"MLFLOW_S3_ENDPOINT_URL": wire.url, "PENNANT_FETCH_SILENCE": "0.2"}
        found = failure(prepare(s3.credentials, f"{ROOT}/big", **through))
    assert found.reason is Reason.DOWNLOAD_FAILED


def test_a_pod_that_is_deleted_does_not_wait_for_its_store(s3, big, prepare, monkeypatch):
    with BreakingWire(s3.url, after=5 << 20, breaks=None, stalls=True) as wire:
        prepare(s3.credentials, f"{ROOT}/big", MLFLOW_S3_ENDPOINT_URL=wire.url)
        command = [sys.executable, "-m", "pennant_serving.fetch"]
        with subprocess.Popen(command, env=os.environ) as container:
            until(lambda: wire.broken > 0)  # it waits for the rest now
            container.terminate()
            assert container.wait(timeout=20) == 128 + signal.SIGTERM


def test_a_store_that_is_down_is_the_worlds_fault(s3, prepare):
    found = failure(prepare(s3.credentials, f"{ROOT}/big", MLFLOW_S3_ENDPOINT_URL=NOBODY))
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert "refused" in found.message


def test_a_store_with_a_certificate_of_its_own_is_trusted_by_the_registrys_bundle(
    tmp_path, prepare
):
    authority = Authority(tmp_path / "pki")
    with s3_server(tmp_path / "tls", authority) as server:
        (server.bucket / "mlflow" / "m").mkdir(parents=True)
        (server.bucket / "mlflow" / "m" / "MLmodel").write_text("x")
        error = failure(prepare(server.credentials, f"{ROOT}/m"))
        assert "set the registry's caBundle" in error.message
        ca = str(authority.certificate)
        fetch(prepare(server.credentials, f"{ROOT}/m", PENNANT_REGISTRY_CA=ca))
    assert (tmp_path / "models" / "bundle" / "MLmodel").read_text() == "x"


def test_the_container_reports_by_its_termination_message(s3, logged, prepare, tmp_path):
    log = tmp_path / "termination-log"
    prepare(s3.credentials, direct(logged.model), PENNANT_TERMINATION_LOG=str(log))
    command = [sys.executable, "-X", "importtime", "-m", "pennant_serving.fetch"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert json.loads(log.read_text())["cached"] is False
    assert "obstore" in done.stderr
    assert "mlflow" not in {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
