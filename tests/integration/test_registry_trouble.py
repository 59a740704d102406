"""A registry that is down, silent, hidden behind a proxy, or no registry at all; and the mount."""

from __future__ import annotations

import contextlib
import http.server
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow  # noqa: F401 - it takes seconds itself, which are not the library's
import pytest

import pennant_registry
from pennant_dev.ports import free_port
from pennant_registry import errors

pytestmark = pytest.mark.integration

NAME, ALIAS = "news-recommender", "production"
WITHIN = 30.0  # seconds on a machine that has other things to do: MLflow itself takes four minutes


class NotFoundPage(http.server.BaseHTTPRequestHandler):
    """An ingress that has no route to MLflow."""

    def do_GET(self) -> None:
        page = b"<html>404 Not Found</html>"
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def proxy_without_mlflow() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotFoundPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENNANT_MODEL_PATH", raising=False)


def test_a_registry_that_is_down_raises_within_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(errors.RegistryUnreachableError, match="MLFLOW_TRACKING_URI"):
        pennant_registry.load_production(NAME, ALIAS)
    assert time.monotonic() - began < WITHIN


def test_a_registry_that_never_answers_raises_within_seconds(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(errors.RegistryUnreachableError):
            pennant_registry.resolve(NAME, ALIAS)
    assert time.monotonic() - began < WITHIN


def test_a_proxys_404_is_not_taken_for_an_alias_that_is_not_set(monkeypatch: pytest.MonkeyPatch):
    with proxy_without_mlflow() as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        with pytest.raises(errors.RegistryUnreachableError, match="does not answer as MLflow"):
            pennant_registry.resolve(NAME, ALIAS)


@pytest.mark.parametrize("address", ["file:///tmp/mlruns", "./mlruns"])
def test_a_plain_file_store_says_to_set_the_tracking_address(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(errors.NotARegistryError, match="set MLFLOW_TRACKING_URI"):
        pennant_registry.register("0" * 32, "model.pkl", NAME)


def test_a_mounted_pickle_is_loaded_without_a_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://registry.invalid")
    monkeypatch.setenv("PENNANT_MODEL_PATH", str(tmp_path))
    (tmp_path / "newsreco.pkl").write_bytes(pickle.dumps({"ranker": 1}))
    assert pennant_registry.load_production(NAME, ALIAS) == {"ranker": 1}


def test_a_mounted_folder_is_returned_as_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PENNANT_MODEL_PATH", str(tmp_path))
    for name in ("config.json", "weights.bin"):
        (tmp_path / name).write_text(name)
    assert pennant_registry.load_production(NAME, ALIAS) == tmp_path


def test_a_mount_without_a_bundle_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PENNANT_MODEL_PATH", str(tmp_path))
    with pytest.raises(errors.ArtifactMissingError, match="there is no bundle"):
        pennant_registry.load_production(NAME, ALIAS)
