"""A registry of images (OCI distribution) on loopback, which takes what is pushed to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from pennant_testing.answering import answering


@dataclass
class ImageRegistry:
    """One that runs."""

    address: str = ""
    manifests: dict[str, str] = field(default_factory=dict)
    """`name:tag` to the digest of what was pushed as it."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)


class PushHandler(BaseHTTPRequestHandler):
    """Uploads in pieces, and manifests."""

    registry: ImageRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send(200)

    def do_HEAD(self) -> None:
        self._send(200 if self.path.rpartition("/")[2] in self.registry.blobs else 404)

    def do_POST(self) -> None:
        self._body()
        upload = uuid4().hex
        self.registry.uploads[upload] = b""
        self._send(202, Location=f"{self.path.rstrip('/')}/{upload}")

    def do_PATCH(self) -> None:
        self.registry.uploads[self.path.rpartition("/")[2]] += self._body()
        self._send(202, Location=self.path)

    def do_PUT(self) -> None:
        body = self._body()
        if "/manifests/" in self.path:
            name, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            self.registry.manifests[f"{name}:{tag}"] = digest
        else:
            digest = self.path.partition("digest=")[2].replace("%3A", ":")
            self.registry.blobs.add(digest)
        self._send(201, **{"Docker-Content-Digest": digest})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def image_registry() -> Iterator[ImageRegistry]:
    """Serve until the block is left."""
    registry = ImageRegistry()
    handler = type("Handler", (PushHandler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with answering(server) as port:
        registry.address = f"127.0.0.1:{port}"
        yield registry
