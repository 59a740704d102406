"""A proxy before a real MLflow server, which fails or lies when it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from pennant_dev.ports import free_port

SEARCH = "/api/2.0/mlflow/registered-models/search"


@dataclass(frozen=True)
class ProxiedAnswer:
    """One HTTP answer; `length` is what its Content-Length says."""

    status: int
    body: bytes
    kind: str = "application/json"
    length: int | None = None


class ProxiedRequest:
    """What somebody asks, and what MLflow would say to it."""

    def __init__(
        self, proxy: Proxy, path: str, headers: dict[str, str], method: str, body: bytes
    ) -> None:
        self.proxy = proxy
        self.path = path
        self.method = method
        self.body = body
        self._headers = headers

    def header(self, name: str) -> str | None:
        """One of its headers."""
        return self._headers.get(name)

    def forward(self) -> ProxiedAnswer:
        """MLflow's own answer."""
        to = http.client.HTTPConnection(self.proxy.target, timeout=30)
        try:
            to.request(self.method, self.path, self.body or None, self._headers)
            answer = to.getresponse()
            kind = answer.headers.get("Content-Type", "application/octet-stream")
            return ProxiedAnswer(answer.status, answer.read(), kind)
        finally:
            to.close()


# None: the connection ends without an answer.
Trouble = Callable[[ProxiedRequest], ProxiedAnswer | None]


class Proxy:
    """Hands requests on, or does what `trouble` says; `asked` holds the paths."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url).netloc
        self.asked: list[str] = []
        self.ended = threading.Event()
        self.trouble: Trouble = ProxiedRequest.forward
        self._port = free_port()
        self._server: ThreadingHTTPServer | None = None
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def listen(self) -> None:
        """Be there, at the same address as before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse(self) -> None:
        """Be gone: nobody listens at the address."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def fail(self, trouble: Trouble) -> None:
        """From now on."""
        if trouble is down:
            self.refuse()
        else:
            self.trouble = trouble

    def recover(self) -> None:
        """All is well again."""
        self.trouble = ProxiedRequest.forward
        if self._server is None:
            self.listen()


@contextlib.contextmanager
def lying_proxy(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.ended.set()
        proxy.refuse()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proxy.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = ProxiedRequest(proxy, self.path, dict(self.headers), self.command, body)
            answer = proxy.trouble(asked)
            if answer is None:
                return
            with contextlib.suppress(OSError):  # who asked may have left
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                length = len(answer.body) if answer.length is None else answer.length
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(answer.body)

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 -- the standard library's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


# What may befall a registry.


def down(_: ProxiedRequest) -> ProxiedAnswer | None:
    """Nobody listens. (`Proxy.fail` sees to it.)"""
    raise AssertionError("nobody listens, so nobody can be asked")


def slow(request: ProxiedRequest) -> ProxiedAnswer | None:
    """Longer than anybody waits."""
    request.proxy.ended.wait(30)
    return None


def error_500(_: ProxiedRequest) -> ProxiedAnswer:
    return ProxiedAnswer(
        500, b'{"error_code": "INTERNAL_ERROR", "message": "the database is locked"}'
    )


def wrong_host(_: ProxiedRequest) -> ProxiedAnswer:
    body = b"Invalid Host header - possible DNS rebinding attack detected"
    return ProxiedAnswer(403, body, "text/plain")


def unauthorized(_: ProxiedRequest) -> ProxiedAnswer:
    return ProxiedAnswer(401, b"You are not authenticated.", "text/plain")


def login_page(_: ProxiedRequest) -> ProxiedAnswer:
    return ProxiedAnswer(200, b"<html><title>Sign in</title></html>", "text/html")


def cut_off(request: ProxiedRequest) -> ProxiedAnswer:
    """Half of the answer, then the connection ends."""
    answer = request.forward()
    return ProxiedAnswer(
        answer.status, answer.body[: len(answer.body) // 2], length=len(answer.body)
    )


def half_json(request: ProxiedRequest) -> ProxiedAnswer:
    """Half of the answer, as if it were all of it."""
    answer = request.forward()
    return ProxiedAnswer(answer.status, answer.body[: len(answer.body) // 2])


def second_page_fails(request: ProxiedRequest) -> ProxiedAnswer:
    """The first page holds no model and says that there are more; no second one comes."""
    if not request.path.startswith(SEARCH):
        return request.forward()
    if "page_token" in request.path:
        return error_500(request)
    return ProxiedAnswer(200, b'{"registered_models": [], "next_page_token": "more"}')


def empty_database(request: ProxiedRequest) -> ProxiedAnswer:
    """Another database behind the same address: MLflow itself says that no model is there."""
    if request.path.startswith(SEARCH):
        return ProxiedAnswer(200, b"{}")
    if request.path == "/version":
        return request.forward()
    body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model not found"}
    return ProxiedAnswer(404, json.dumps(body).encode())


def page_skips(request: ProxiedRequest) -> ProxiedAnswer:
    """Models came and went between two pages of a search, and some are on neither."""
    answer = request.forward()
    if not request.path.startswith(SEARCH) or answer.status != 200:
        return answer
    return ProxiedAnswer(200, json.dumps({"registered_models": []}).encode())


def floating_source(request: ProxiedRequest) -> ProxiedAnswer:
    """A version that names another model's alias as its source."""
    if "/get-download-uri" not in request.path:
        return request.forward()
    return ProxiedAnswer(200, b'{"artifact_uri": "models:/other@production"}')
