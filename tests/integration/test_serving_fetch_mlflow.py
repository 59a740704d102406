"""fetch against a real MLflow server: folders, single files, and what is missing or changed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.sklearn import log_model
from sklearn.linear_model import LinearRegression

from pennant_registry import digest
from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings, Wanted
from pennant_testing.mlflow.s3_server import BreakingWire
from pennant_testing.running.coverage_env import coverage_variables

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Logged:
    """What one training run left in the registry's artifact store."""

    url: str
    model: str
    file: str
    run: str


@pytest.fixture(scope="module")
def logged(mlflow_url: str) -> Iterator[Logged]:
    mlflow.set_tracking_uri(mlflow_url)
    client = MlflowClient(mlflow_url)
    estimator = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        with mlflow.start_run() as run:
            # Named, because MLflow takes long to find them out.
            needs = {"pip_requirements": ["scikit-learn"]}
            log_model(estimator, name="model", registered_model_name="fetched", **needs)
            mlflow.log_text("the bytes", "folder with space/naïve file.txt")
            mlflow.log_text("the bytes", "model.pkl")
    artifacts = client.get_run(run.info.run_id).info.artifact_uri
    model = client.get_model_version_download_uri("fetched", "1")
    yield Logged(mlflow_url, model, f"{artifacts}/model.pkl", artifacts)
    mlflow.set_tracking_uri(None)


def settings(logged: Logged, source: str, folder: Path, **changes: object) -> FetchSettings:
    wanted = Wanted("fetched", "1", source)
    base = FetchSettings(wanted, folder / "bundle", registry_url=logged.url, patience=0.5)
    return replace(base, **changes)


def failure(settings: FetchSettings) -> PodError:
    with pytest.raises(PodError) as raised:
        fetch(settings)
    assert not (settings.model_path.parent / "manifest.json").exists()
    return raised.value


def test_a_logged_model_is_fetched_once_and_then_found(logged, tmp_path):
    read = settings(logged, logged.model, tmp_path)
    fetched, cached = fetch(read)
    assert not cached
    assert (fetched.kind, fetched.digest) == ("folder", digest.of_path(read.model_path))
    assert (read.model_path / "MLmodel").is_file()
    assert fetch(replace(read, registry_url="http://127.0.0.1:9")) == (fetched, True)


def test_a_single_file_is_digested_as_a_file(logged, tmp_path):
    fetched, _ = fetch(settings(logged, logged.file, tmp_path))
    file = tmp_path / "bundle" / "model.pkl"
    assert file.read_text() == "the bytes"
    assert (fetched.kind, fetched.files, fetched.bytes) == ("file", 1, 9)
    assert fetched.digest == digest.of_path(file)
    assert fetch(settings(logged, logged.file, tmp_path)) == (fetched, True)


def test_folders_in_folders_and_names_that_need_quoting_arrive(logged, tmp_path):
    fetch(settings(logged, logged.run, tmp_path))
    assert (tmp_path / "bundle/folder with space/naïve file.txt").read_text() == "the bytes"


@pytest.mark.parametrize("path", ["missing.pkl", "missing/folder"])
def test_what_mlflow_does_not_have_is_missing(logged, tmp_path, path):
    found = failure(settings(logged, f"{logged.run}/{path}", tmp_path))
    assert found.reason is Reason.BUNDLE_MISSING
    assert "No such artifact" in found.message


def test_other_bytes_than_registered_are_a_mismatch_and_do_not_stay(logged, tmp_path):
    expected = (("the version's tag pennant.sha256", "0" * 64),)
    found = failure(settings(logged, logged.file, tmp_path, expected_digests=expected))
    assert found.reason is Reason.DIGEST_MISMATCH
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_volume_is_fetched_again(logged, tmp_path):
    read = settings(logged, logged.model, tmp_path)
    first, _ = fetch(read)
    (read.model_path / "MLmodel").write_text("damaged")
    assert fetch(read) == (first, False)
    assert digest.of_path(read.model_path) == first.digest


def test_a_server_that_is_down_is_the_worlds_fault(logged, tmp_path):
    found = failure(settings(logged, logged.file, tmp_path, registry_url="http://127.0.0.1:9"))
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert "refused" in found.message


def test_a_download_that_always_breaks_off_goes_on_where_it_was(logged, tmp_path):
    """None of the connections lives for long enough to bring all of it."""
    content = random.Random(7).randbytes(12 << 20)
    (tmp_path / "model.bin").write_bytes(content)
    with mlflow.start_run(run_id=logged.run.split("/")[2]):
        mlflow.log_artifact(str(tmp_path / "model.bin"))
    with BreakingWire(logged.url, after=5 << 20, breaks=None) as wire:
        source = f"{logged.run}/model.bin"
        fetch(settings(logged, source, tmp_path, registry_url=wire.url))
    assert wire.broken == 2
    assert (tmp_path / "bundle" / "model.bin").read_bytes() == content


def test_the_container_reports_by_its_termination_message(logged, tmp_path):
    done, message = run_container(logged, logged.file, tmp_path)
    assert done.returncode == 0, done.stdout
    assert message["cached"] is False
    assert (message["version"], message["bytes"]) == ("1", 9)
    assert len(message["digest"]) == 64


def test_the_last_line_of_the_log_says_where_the_seconds_went(logged, tmp_path):
    done, message = run_container(logged, logged.model, tmp_path)
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["event"] == "fetched"
    assert list(line["phases"]) == ["process", "import", "verify", "list", "download"]
    assert min(line["phases"].values()) >= 0
    assert min(line["phases"][name] for name in ("import", "download")) > 0
    assert sum(line["phases"].values()) <= line["seconds"] + 0.02  # the kernel counts hundredths
    assert message["seconds"] <= line["seconds"]


def test_the_container_ends_with_a_reason(logged, tmp_path):
    done, message = run_container(logged, "models:/fetched@production", tmp_path)
    assert (done.returncode, message["reason"]) == (1, "SourceNotAllowed")


def run_container(logged: Logged, source: str, folder: Path):
    log = folder / "termination-log"
    environment = coverage_variables() | {
        "PATH": os.defpath,
        "PENNANT_MODEL_NAME": "fetched",
        "PENNANT_MODEL_VERSION": "1",
        "PENNANT_MODEL_SOURCE": source,
        "PENNANT_MODEL_PATH": str(folder / "models" / "bundle"),
        "PENNANT_REGISTRY_URL": logged.url,
        "PENNANT_TERMINATION_LOG": str(log),
    }
    command = [sys.executable, "-m", "pennant_serving.fetch"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return done, json.loads(log.read_text())
