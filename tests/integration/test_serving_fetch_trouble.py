"""fetch against servers that misbehave: proxies, redirects, answers that end early."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import Credentials, Settings, Wanted

pytestmark = pytest.mark.integration

Answer = Callable[[BaseHTTPRequestHandler], None]
FILE = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}


@contextmanager
def registry(*answers: Answer) -> Iterator[tuple[str, list[BaseHTTPRequestHandler]]]:
    """A server that gives these answers in turn, the last one for ever; and what it was asked."""
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self)
            answers[min(len(asked), len(answers)) - 1](self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(code: int, body: str, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return send


EMPTY_LISTING = answer(200, "{}", **{"Content-Type": "application/json"})
THE_FILE = answer(200, "the bytes", **FILE)


def settings(url: str, folder: Path, patience: float = 5) -> Settings:
    wanted = Wanted("iris", "1", "mlflow-artifacts:/1/run/artifacts/model.pkl")
    credentials = Credentials("ann", "secret")
    path = folder / "bundle"
    return Settings(wanted, path, url, credentials=credentials, patience=patience)


def failure(tmp_path: Path, *answers: Answer) -> PodError:
    with registry(*answers) as (url, _), pytest.raises(PodError) as raised:
        fetch(settings(url, tmp_path, patience=0.3))
    return raised.value


@pytest.mark.parametrize(
    "page",
    [
        answer(404, "<html>default backend</html>", **{"Content-Type": "text/html"}),
        answer(502, "<html>bad gateway</html>", **{"Content-Type": "text/html"}),
        answer(200, "<html>please log in</html>", **{"Content-Type": "text/html"}),
    ],
    ids=["404", "502", "login"],
)
def test_a_page_of_html_never_makes_a_version_look_broken(tmp_path, page):
    assert failure(tmp_path, page).reason is Reason.DOWNLOAD_FAILED
    assert failure(tmp_path, EMPTY_LISTING, page).reason is Reason.DOWNLOAD_FAILED


def test_being_refused_asks_for_credentials(tmp_path):
    found = failure(tmp_path, answer(401, "You are not authenticated"))
    assert found.reason is Reason.CREDENTIALS_MISSING
    assert "credentialsSecret" in found.message


def test_trouble_that_passes_is_waited_out(tmp_path):
    busy = answer(503, "busy")
    with registry(busy, EMPTY_LISTING, busy, THE_FILE) as (url, asked):
        fetched, _ = fetch(settings(url, tmp_path))
    assert fetched.bytes == 9
    assert len(asked) == 4


def test_a_file_that_ends_early_is_downloaded_again(tmp_path):
    short = answer(200, "the b", **FILE, **{"Content-Length": "9"})
    with registry(EMPTY_LISTING, short, THE_FILE) as (url, _):
        fetch(settings(url, tmp_path))
    assert (tmp_path / "bundle" / "model.pkl").read_text() == "the bytes"


def test_credentials_go_to_the_registry_and_not_along_a_redirect(tmp_path):
    with registry(THE_FILE) as (elsewhere, asked_elsewhere):
        redirect = answer(302, "", Location=f"{elsewhere}/file")
        with registry(EMPTY_LISTING, redirect) as (url, asked):
            fetch(settings(url, tmp_path))
    assert all(handler.headers["Authorization"].startswith("Basic ") for handler in asked)
    assert [handler.headers["Authorization"] for handler in asked_elsewhere] == [None]


@pytest.mark.parametrize("name", ["../escape", "a/b", "..", ""])
def test_a_listing_cannot_write_outside_the_bundle(tmp_path, name):
    listing = answer(200, json.dumps({"files": [{"path": name, "is_dir": False}]}))
    found = failure(tmp_path, listing, THE_FILE)
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []
