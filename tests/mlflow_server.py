"""A real `mlflow server` on a free loopback port, with sqlite and proxied artifacts."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

START_DEADLINE_SECONDS = 90


class Mlflow:
    """Registers and promotes versions of models."""

    def __init__(self, url: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(url)

    def register(self, model: str) -> str:
        if not self.client.search_registered_models(f"name = '{model}'"):
            self.client.create_registered_model(model)
        run = self.client.create_run("0").info.run_id
        self.client.log_text(run, "a model", "newsreco.pkl")
        source = f"runs:/{run}/newsreco.pkl"
        return str(self.client.create_model_version(model, source, run).version)

    def promote(self, model: str, version: str) -> None:
        self.client.set_registered_model_alias(model, "production", version)


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Runs a server that keeps its data in `folder` and yields its address."""
    port = free_port()
    log = folder / "mlflow-server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            _command(folder, port), env=_environment(), stdout=output, stderr=output, cwd=folder
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, server, log)
        yield url
    finally:
        _stop(server)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _command(folder: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--artifacts-destination", str(folder / "mlartifacts")),
    ]


def _environment() -> dict[str, str]:
    """The caller's environment, without what would make this server somebody's client."""
    inherited = os.environ  # a child process is started from ours
    kept = {name: value for name, value in inherited.items() if not name.startswith("MLFLOW_")}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"  # `mlflow server` calls uvicorn
    return kept | {
        "PATH": path,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
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
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(timeout=20)
