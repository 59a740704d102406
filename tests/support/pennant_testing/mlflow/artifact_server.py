"""A pretended artifact proxy: what it lists and what it hands out are told answer by answer."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pennant_serving.fetch.settings import Credentials, FetchSettings, Wanted
from pennant_testing.answering import answering

SendAnswer = Callable[[BaseHTTPRequestHandler], None]
FILE = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}


@contextmanager
def serving(
    do: SendAnswer, context: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[BaseHTTPRequestHandler]]]:
    """A server that does this with each request; its address, and what it was asked."""
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self)
            do(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    with answering(server) as port:
        yield f"{scheme}://127.0.0.1:{port}", asked


def answer(code: int, body: str | bytes, **headers: str) -> SendAnswer:
    sent = body.encode() if isinstance(body, str) else body

    def send(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, code, {"Content-Length": str(len(sent))} | headers)
        handler.wfile.write(sent)

    return send


def begin(handler: BaseHTTPRequestHandler, code: int, headers: dict[str, str]) -> None:
    """The head of an answer; without a length the end of the connection ends it."""
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def endless(body: bytes, **headers: str) -> SendAnswer:
    """Nothing but the end of the connection says where it ends."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, 200, FILE | headers)
        handler.wfile.write(body)

    return send


def listing(*files: tuple[str, int | None]) -> SendAnswer:
    """MLflow's, of files and their sizes; it says none of an empty file."""
    listed = [
        {"path": name, "is_dir": False} | ({"file_size": size} if size else {})
        for name, size in files
    ]
    return answer(200, json.dumps({"files": listed}), **{"Content-Type": "application/json"})


NOTHING_LISTED = answer(200, "{}", **{"Content-Type": "application/json"})
CONTENT = b"the bytes"
THE_FILE = answer(200, CONTENT, **FILE)
IN_ITS_FOLDER = (NOTHING_LISTED, listing(("model.pkl", len(CONTENT))))
"""What is listed of a bundle that is one file: of itself, and of its folder."""


@contextmanager
def registry(
    *files: SendAnswer,
    listings: Sequence[SendAnswer] = IN_ITS_FOLDER,
    context: ssl.SSLContext | None = None,
) -> Iterator[tuple[str, list[BaseHTTPRequestHandler]]]:
    """Gives these answers in turn, the last one for ever; its address, and what it was asked."""
    taken = {"file": 0, "listing": 0}

    def give(handler: BaseHTTPRequestHandler) -> None:
        kind = "listing" if "?path=" in handler.path else "file"
        answers = listings if kind == "listing" else files
        taken[kind] += 1
        answers[min(taken[kind], len(answers)) - 1](handler)

    with serving(give, context) as served:
        yield served


def asked_for_files(asked: list[BaseHTTPRequestHandler]) -> list[BaseHTTPRequestHandler]:
    return [handler for handler in asked if "?path=" not in handler.path]


def settings(url: str, folder: Path, patience: float = 5, **changes: object) -> FetchSettings:
    wanted = Wanted("iris", "1", "mlflow-artifacts:/1/run/artifacts/model.pkl")
    given: dict[str, object] = {"credentials": Credentials("ann", "secret"), "patience": patience}
    return FetchSettings(wanted, folder / "bundle", url, **(given | changes))  # type: ignore[arg-type]
