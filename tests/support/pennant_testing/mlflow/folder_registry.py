"""A pretended registry of one model: its versions are folders, or files, of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pennant_registry.names import TAG_SHA256
from pennant_testing.mlflow.artifact_server import answer, serving

CREATED_MS = 1_767_225_600_000


class FolderRegistry:
    """Its alias `production` points at `pointed`; while it is away it answers 503."""

    def __init__(self, folder: Path, model: str) -> None:
        self.url = ""
        self.model = model
        self.pointed: int | None = None
        self.is_away = False
        self.asked_for_alias = 0
        self.folder = folder
        self._count = 0
        self._digests: dict[str, str] = {}

    def register(self, **files: Any) -> int:
        """A version that holds these files, `name` as `name.json`; its number."""
        self._count += 1
        version = self.folder / str(self._count)
        version.mkdir()
        (version / "any").write_text("")
        for name, content in files.items():
            (version / f"{name}.json").write_text(json.dumps(content))
        return self._count

    def register_file(self, content: str, sha256: str) -> int:
        """A version that is one file, with the digest that its tag has; its number."""
        self._count += 1
        (self.folder / str(self._count)).write_text(content)
        self._digests[str(self._count)] = sha256
        return self._count

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Until the block is left, at `url`."""
        with serving(self._answer) as (self.url, _):
            yield

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        asked = {name: value for name, [value] in parse_qs(address.query).items()}
        code, content = (503, "away") if self.is_away else self._content(address.path, asked)
        answer(code, content, **{"Content-Type": "application/json"})(handler)

    def _content(self, path: str, asked: dict[str, str]) -> tuple[int, str]:
        if path.endswith("/registered-models/get"):
            return 200, json.dumps({"registered_model": {"name": self.model}})
        number = asked.get("version")
        if path.endswith("/registered-models/alias"):
            self.asked_for_alias += 1
            number = str(self.pointed) if self.pointed else None
        if number is None:
            return 404, json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"})
        source = (self.folder / number).as_uri()
        if path.endswith("/get-download-uri"):
            return 200, json.dumps({"artifact_uri": source})
        version = {
            "name": self.model,
            "version": number,
            "creation_timestamp": CREATED_MS,
            "source": source,
            "status": "READY",
            "tags": [
                {"key": TAG_SHA256, "value": digest}
                for tagged, digest in self._digests.items()
                if tagged == number
            ],
        }
        return 200, json.dumps({"model_version": version})
