"""A real `mlflow server` on a free loopback port, with sqlite and proxied artifacts.

MLflow 3 is the test environment's own. MLflow 2 has a venv of its own in the cache folder, made at
first use from requirements/mlflow2.txt.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pennant_dev.environments import THIS, environment
from pennant_dev.ports import free_port
from pennant_dev.settings import REPOSITORY
from pennant_testing.running import coverage_env

START_DEADLINE_SECONDS = 180  # on a machine that has other things to do


class Mlflow:
    """Registers and promotes versions of models."""

    def __init__(self, url: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(url)

    def register(self, model: str, **tags: str) -> str:
        if not self.client.search_registered_models(f"name = '{model}'"):
            self.client.create_registered_model(model)
        run = self.client.create_run("0").info.run_id
        self.client.log_text(run, "a model", "newsreco.pkl")
        source = f"runs:/{run}/newsreco.pkl"
        return str(self.client.create_model_version(model, source, run, tags).version)

    def promote(self, model: str, version: str) -> None:
        self.client.set_registered_model_alias(model, "production", version)


@contextlib.contextmanager
def mlflow_server(
    folder: Path,
    python: Path = THIS,
    *,
    store: str = "",
    artifacts: str = "",
    prefix: str = "",
    arguments: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Runs a server that keeps its data in `folder` and yields its address.

    `python` is the interpreter of an environment that has MLflow, `store` the database's address
    where it is not sqlite, `artifacts` the store that it proxies where it is not in `folder`,
    `prefix` the path that everything of it lies below.
    """
    port, store = free_port(), store or f"sqlite:///{folder}/mlflow.db"
    log = folder / "mlflow-server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [str(python), *_arguments(folder, port, store, artifacts, prefix), *arguments],
            env=_environment(python) | dict(environ or {}),
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}{prefix}"
    try:
        _wait_until_healthy(url, server, log)
        yield url
    finally:
        _stop(server)


def mlflow2() -> Path:
    """The interpreter of an environment with MLflow 2, which is made if it is not there yet."""
    return environment("mlflow2", REPOSITORY / "requirements" / "mlflow2.txt")


def _arguments(folder: Path, port: int, store: str, artifacts: str, prefix: str) -> list[str]:
    return [
        *("-m", "mlflow", "server", "--workers", "1"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", store),
        *("--artifacts-destination", artifacts or str(folder / "mlartifacts")),
        *(("--static-prefix", prefix) if prefix else ()),
    ]


def _environment(python: Path) -> dict[str, str]:
    """The caller's, without what makes this server somebody's client, or coverage measure it."""
    inherited = os.environ  # a child process is started from ours
    own = ("MLFLOW_", coverage_env.PREFIX)
    variables = {name: value for name, value in inherited.items() if not name.startswith(own)}
    # `mlflow server` calls uvicorn, MLflow 2 calls gunicorn.
    path = f"{python.parent}:{variables.get('PATH', '')}"
    return variables | {
        "PATH": path,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # Webhooks: to this machine, and known at once.
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": base64.urlsafe_b64encode(b"t" * 32).decode(),
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    }


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while not _healthy(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"mlflow server did not come up:\n{log.read_text()[-4000:]}")
        time.sleep(0.1)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Kill all of its processes: nothing of it is kept, and to end by itself takes it seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait(timeout=60)
