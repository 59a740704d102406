"""Servers on real sockets that remember what they were asked, and with which credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from pennant_testing.answering import answering

RecordedAnswer = tuple[int, dict[str, str], bytes]


@dataclass
class Recorder:
    """One server."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    credentials: set[str | None] = field(default_factory=set)


@contextmanager
def recorder(answer: Callable[[str], RecordedAnswer]) -> Iterator[Recorder]:
    """A server that answers each path so."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            recorder.paths.append(self.path)
            recorder.credentials.add(self.headers["Authorization"])
            code, headers, body = answer(self.path)
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with answering(server) as port:
        recorder.url = f"http://127.0.0.1:{port}"
        yield recorder


def as_json(content: Any) -> RecordedAnswer:
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


def the_file(_: str) -> RecordedAnswer:
    return 200, {"Content-Disposition": "attachment"}, b"the bytes"


def redirect_to(url: str) -> Callable[[str], RecordedAnswer]:
    return lambda path: (302, {"Location": f"{url}{path}"}, b"")


def registry(path: str) -> RecordedAnswer:
    """An MLflow server in which version 1 of every model is in production."""
    version = {"name": "news", "version": "1", "creation_timestamp": 1, "tags": []}
    answers: dict[str, Any] = {
        "/version": "3.17.2",
        "registered-models/get": {
            "registered_model": {
                "name": "news",
                "creation_timestamp": 1,
                "aliases": [{"alias": "production", "version": "1"}],
            }
        },
        "model-versions/get": {"model_version": version},
        "model-versions/get-download-uri": {"artifact_uri": "mlflow-artifacts:/1/run/artifacts/m"},
    }
    asked = urlsplit(path).path.removeprefix("/api/2.0/mlflow/")
    return as_json(answers.get(asked, {}))
