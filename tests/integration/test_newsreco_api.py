"""newsreco's own API as a process, told mount and port as in a pod of mode Custom."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsreco import broken, bundle, train
from newsreco.config import Config
from pennant_dev.ports import free_port
from pennant_testing.running.coverage_env import coverage_variables
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """A folder as `fetch` leaves it: one file, which cannot be written."""
    folder = tmp_path / "models" / "bundle"
    folder.mkdir(parents=True)
    bundle.save(train.fit(Config(marker="mounted")).bundle, folder / bundle.FILE)
    (folder / bundle.FILE).chmod(0o444)
    return folder


@contextmanager
def api(mount: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "newsreco.api"],
        # A registry that does not answer: nothing but the mount may be asked.
        env=coverage_variables()
        | {
            "PATH": os.defpath,
            "PENNANT_MODEL_PATH": str(mount),
            "PENNANT_PORT": str(port),
            "NEWSRECO_USE_REGISTRY": "1",
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        },
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ask(port: int, path: str) -> dict:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return json.load(answer)
    except OSError:
        return {}


def test_it_serves_the_mount_and_ends_when_told(mount: Path):
    port = free_port()
    with api(mount, port) as process:
        assert until(lambda: ask(port, "/health"))["source"] == "mount"
        assert ask(port, "/recommend/U106?k=3")["marker"] == "mounted"
        process.terminate()
        process.wait(timeout=60)
    assert ask(port, "/health") == {}


def test_it_ends_rather_than_serve_another_model_than_the_mounted_one(mount: Path):
    (mount / bundle.FILE).unlink()
    broken.save(train.fit(Config()).bundle, mount / bundle.FILE, "load")
    port = free_port()
    with api(mount, port) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode not in (0, -9)
    assert broken.MODULE in output
