"""`fetch` and `serve` as processes, with an environment that came with the model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from pennant_serving.environment.pins import decode
from pennant_serving.environment.record import (
    PYTHON,
    EnvironmentRecord,
    environment_path,
    record_path,
    write,
)
from pennant_testing.mlflow.recording_server import recorder
from pennant_testing.packages.simple_index import needs, package_index
from pennant_testing.packages.wheels import runtime_wheels, wheel
from pennant_testing.serving.serving_process import serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

SECRET = {"PENNANT_INDEX_USERNAME": "someone", "PENNANT_INDEX_PASSWORD": "the-secret"}


def registry(path):
    """An MLflow server whose model is one file of requirements."""
    if "/artifacts?" in path:
        files = [{"path": "requirements.txt", "is_dir": False, "file_size": 6}]
        return 200, {"Content-Type": "application/json"}, json.dumps({"files": files}).encode()
    return 200, {"Content-Disposition": "attachment"}, b"alpha\n"


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "wheels"
    runtime_wheels(folder)
    wheel(folder, "alpha", "1.0")
    with package_index(folder, refusal=needs(*SECRET.values())) as index:
        yield index


@pytest.fixture
def mlflow():
    with recorder(registry) as server:
        yield server.url


@contextmanager
def fetching(folder, mlflow, index, under=(), **variables):
    """A `fetch` that was begun."""
    environment = {
        "PATH": os.environ["PATH"],
        "PENNANT_MODEL_NAME": "iris",
        "PENNANT_MODEL_VERSION": "7",
        "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/run/artifacts/m",
        "PENNANT_MODEL_PATH": str(folder / "bundle"),
        "PENNANT_REGISTRY_URL": mlflow,
        "PENNANT_ENVIRONMENT": "Bundle",
        "PENNANT_INDEX_URL": index.url,
        "PENNANT_TERMINATION_LOG": str(folder.parent / "message"),
    }
    process = subprocess.Popen(
        [*under, sys.executable, "-m", "pennant_serving.fetch"],
        env=environment | SECRET | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # what it starts is killed with it, as in a container
        text=True,
    )
    try:
        yield process
    finally:
        kill(process)
        process.wait()
        process.stdout.close()


def kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def message_of(tmp_path):
    text = (tmp_path / "message").read_text()
    assert SECRET["PENNANT_INDEX_PASSWORD"] not in text
    return json.loads(text)


def test_fetch_reports_digest_and_pins(index, mlflow, tmp_path):
    with fetching(tmp_path / "models", mlflow, index) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    environment = message_of(tmp_path)["environment"]
    assert "alpha==1.0" in [str(pin) for pin in decode(environment["pins"])]
    assert environment["python"] == PYTHON
    assert environment["bytes"] > 0
    line = json.loads(output.splitlines()[-1])
    assert line["notes"]["environment"] == environment["digest"]
    assert {"environment", "resolve", "install"} < line["phases"].keys()
    assert SECRET["PENNANT_INDEX_PASSWORD"] not in output

    pinned = {"PENNANT_PINNED_ENVIRONMENT": json.dumps(environment)}
    asked = len(index.asked)
    with fetching(tmp_path / "models", mlflow, index, **pinned) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert message_of(tmp_path)["environment"] == environment
    assert message_of(tmp_path)["cached"]
    assert len(index.asked) == asked


@pytest.mark.parametrize("after", [1, 6, 13, 20])
def test_one_that_is_killed_leaves_nothing_that_serve_would_take(index, mlflow, tmp_path, after):
    folder = tmp_path / "models"
    with fetching(folder, mlflow, index) as process:
        until(lambda: len(index.asked) >= after or process.poll() is not None)
        kill(process)
        process.wait()
    if record_path(folder / "bundle").exists():
        assert process.returncode == 0
    with fetching(folder, mlflow, index) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert (environment_path(folder / "bundle") / "alpha" / "__init__.py").is_file()
    assert not list(folder.glob(".incoming*"))


def test_a_volume_that_is_too_small_is_named(index, mlflow, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    mounted = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
    under = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(folder)]
    with fetching(folder, mlflow, index, under) as process:
        output, _ = process.communicate()
    assert process.returncode == 1, output
    message = message_of(tmp_path)
    assert message["reason"] == "ConfigurationError", message
    assert "No space left on device" in message["message"]
    assert "serving.storage.size" in message["message"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PENNANT_INDEX_URL", ""),
        ("PENNANT_INDEX_URL", "https://someone:the-secret@example.com/simple"),
        ("PENNANT_EXTRA_INDEX_URLS", "file:///wheels"),
        ("PENNANT_PINNED_ENVIRONMENT", "{}"),
        ("PENNANT_ENVIRONMENT", "Both"),
    ],
)
def test_a_setting_that_is_none_is_named(index, mlflow, tmp_path, variable, value):
    with fetching(tmp_path / "models", mlflow, index, **{variable: value}) as process:
        process.communicate()
    assert process.returncode == 1
    assert variable in message_of(tmp_path)["message"]


def serve_reason(tmp_path, python):
    """How a server ends whose volume has an environment for that Python; empty: none."""
    model_path = tmp_path / "models" / "bundle"
    model_path.mkdir(parents=True)
    if python:
        write(EnvironmentRecord("00", python, 0, 0, ()), record_path(model_path))
    with serving(tmp_path, model_path, PENNANT_ENVIRONMENT="Bundle") as pod:
        pod.process.wait()
        return json.loads(pod.termination_log.read_text())


def test_serve_takes_no_environment_for_another_python(tmp_path):
    ended = serve_reason(tmp_path, "3.8")
    assert ended["reason"] == "EnvironmentMismatch"
    assert "Python 3.8" in ended["message"]
    assert f"Python {PYTHON}" in ended["message"]


def test_serve_takes_no_environment_that_is_not_whole(tmp_path):
    assert "environment.json is missing" in serve_reason(tmp_path, "")["message"]


def modules_imported_by(statement):
    """What it imports, beside what comes with an interpreter that is measured."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())


def test_fetch_imports_nothing_for_environments_where_there_is_none():
    imported = modules_imported_by("import pennant_serving.fetch.__main__")
    assert {"yaml", "packaging", "tomllib"}.isdisjoint(imported)


def test_nothing_that_an_environment_may_bring_is_imported_before_it_is_in_front():
    imported = modules_imported_by("import pennant_serving.__main__")
    packages = {name.partition(".")[0] for name in imported}
    assert packages - sys.stdlib_module_names == {"pennant_serving"}
