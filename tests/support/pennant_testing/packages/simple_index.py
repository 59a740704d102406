"""A package index (PEP 503, with hashes) over a folder of wheels, on loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pennant_testing.answering import answering

JSON_PAGE = "application/vnd.pypi.simple.v1+json"
WHEEL = "application/octet-stream"
Refusal = Callable[[str, str | None], int | None]
"""Path and Authorization to the status of a refusal; None lets it pass."""


@dataclass
class PackageIndex:
    """One that runs. What lies in the folder later is served, too."""

    folder: Path
    url: str = ""
    """Of the index itself, as a client is given it."""
    files_url: str = ""
    """Where its pages say that the wheels are; empty means: beside the pages."""
    refusal: Refusal | None = None
    by_hash: bool = False
    """Its pages are JSON (PEP 691), and addresses of wheels end with a hash, not with a name."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Authorization) of every request."""

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Content type and body; None when there is nothing of that name."""
        kind, _, name = path.strip("/").partition("/")
        if kind == "simple" and name:
            return self._page(name)
        if kind == "blobs":
            return self._blob(name)
        wheel = self.folder / Path(name).name
        if kind == "files" and wheel.is_file():
            return WHEEL, wheel.read_bytes()
        return None

    def _page(self, project: str) -> tuple[str, bytes] | None:
        wheels = [path for path in sorted(self.folder.glob("*.whl")) if project_of(path) == project]
        if self.by_hash and wheels:
            return JSON_PAGE, json.dumps(_described(project, wheels)).encode()
        links = "".join(
            f'<a href="{self.files_url}/files/{path.name}#sha256={sha256(path)}">'
            f"{escape(path.name)}</a>\n"
            for path in wheels
        )
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        return ("text/html", page.encode()) if wheels else None

    def _blob(self, digest: str) -> tuple[str, bytes] | None:
        matches = (path for path in self.folder.glob("*.whl") if sha256(path) == digest)
        return next(((WHEEL, path.read_bytes()) for path in matches), None)


@contextmanager
def package_index(
    folder: Path, *, refusal: Refusal | None = None, files_url: str = ""
) -> Iterator[PackageIndex]:
    """Serve the folder's wheels until the block is left."""
    index = PackageIndex(folder, refusal=refusal, files_url=files_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            """By which uv looks whether it may read a part of a wheel."""
            self.do_GET()

        def do_GET(self) -> None:
            authorization = self.headers["Authorization"]
            index.asked.append((self.path, authorization))
            status = index.refusal(self.path, authorization) if index.refusal else None
            content = index.answer(self.path)
            if status is not None or content is None:
                self._send(status or 404, "text/plain", b"no")
            else:
                self._send(200, *content)

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Type", kind)
            if kind == WHEEL:  # as public indexes have it: uv asks for none again
                self.send_header("Cache-Control", "max-age=365000000, immutable, public")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                with contextlib.suppress(ConnectionError):  # who asked was killed meanwhile
                    self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with answering(server) as port:
        index.url = f"http://127.0.0.1:{port}/simple"
        yield index


def needs(username: str, password: str) -> Refusal:
    """Refuses everybody else: 401 without credentials, 403 with others."""
    right = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def refusal(_: str, authorization: str | None) -> int | None:
        if authorization == right:
            return None
        return 401 if authorization is None else 403

    return refusal


def _described(project: str, wheels: list[Path]) -> dict[str, object]:
    files = [
        {
            "filename": path.name,
            "url": f"/blobs/{sha256(path)}",
            "hashes": {"sha256": sha256(path)},
        }
        for path in wheels
    ]
    return {"meta": {"api-version": "1.0"}, "name": project, "files": files}


def project_of(wheel: Path) -> str:
    """The normalised name of what a wheel holds."""
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()


def sha256(wheel: Path) -> str:
    """In hex."""
    return hashlib.sha256(wheel.read_bytes()).hexdigest()
