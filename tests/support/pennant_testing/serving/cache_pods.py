"""Pods that share a cache, as `fetch` processes with a registry and an index that count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pennant_testing.mlflow.recording_server import RecordedAnswer

FULL = 10 << 30
MODEL = "models/bundle"


@dataclass
class CacheScene:
    """A registry, an index and a claim."""

    folder: Path
    registry_url: str = ""
    index_url: str = ""
    registry_asked: list[str] = field(default_factory=list)
    index_asked: list[tuple[str, str | None]] = field(default_factory=list)
    pods: int = 0

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.registry_asked), len(self.index_asked)

    def entries(self, kind: str) -> list[Path]:
        return sorted((self.cache / kind).glob("*"))

    @contextmanager
    def starting(self, under: Sequence[str] = (), **variables: str) -> Iterator[CachePod]:
        """A pod whose `fetch` was begun."""
        self.pods += 1
        folder = self.folder / f"pod-{self.pods}"
        folder.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "PENNANT_MODEL_NAME": "iris",
            "PENNANT_MODEL_VERSION": "7",
            "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/run/artifacts/m",
            "PENNANT_MODEL_PATH": str(folder / MODEL),
            "PENNANT_REGISTRY_URL": self.registry_url,
            "PENNANT_FETCH_PATIENCE": "0.5",
            "PENNANT_REVISION": "abc",
            "PENNANT_ENVIRONMENT": "Bundle",
            "PENNANT_INDEX_URL": self.index_url,
            "PENNANT_CACHE_PATH": str(self.cache),
            "PENNANT_CACHE_SIZE": str(FULL),
            "PENNANT_CACHE_ROLLOUT": "uid-1",
            "PENNANT_TERMINATION_LOG": str(folder / "message"),
        }
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "pennant_serving.fetch"],
            env=environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield CachePod(folder, process)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    def pod(self, **variables: str) -> CachePod:
        """One whose `fetch` has ended."""
        with self.starting(**variables) as pod:
            return pod.ended()


@dataclass
class CachePod:
    """Its own volume, and what its `fetch` wrote."""

    folder: Path
    process: subprocess.Popen[str]
    log: str = ""

    @property
    def model_path(self) -> Path:
        return self.folder / MODEL

    @property
    def environment(self) -> Path:
        return self.folder / "models" / "environment"

    @property
    def message(self) -> Any:
        return json.loads((self.folder / "message").read_text())

    @property
    def pins(self) -> dict[str, str]:
        """What the operator hands to the next pods when it has pinned what this one reported."""
        message = self.message
        pinned = json.dumps(message["environment"])
        return {
            "PENNANT_PINNED_SHA256": message["digest"],
            "PENNANT_PINNED_ENVIRONMENT": pinned,
        }

    def ended(self) -> CachePod:
        self.log = self.process.communicate()[0]
        return self

    def is_whole(self) -> bool:
        """As the first pod of any registry would have it."""
        return (
            self.process.returncode == 0
            and (self.model_path / "requirements.txt").read_bytes() == b"alpha\n"
            and "1.0" in (self.environment / "alpha" / "__init__.py").read_text()
        )


def one_file(path: str) -> RecordedAnswer:
    """An MLflow server whose model is one file of requirements."""
    if "/artifacts?" in path:
        files = [{"path": "requirements.txt", "is_dir": False, "file_size": 6}]
        return 200, {"Content-Type": "application/json"}, json.dumps({"files": files}).encode()
    return 200, {"Content-Disposition": "attachment"}, b"alpha\n"
