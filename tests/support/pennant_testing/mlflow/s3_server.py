"""A real S3 server (versitygw, over a folder) on a loopback port, and a wire to it that breaks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.environments import environment
from pennant_dev.pki import Authority
from pennant_dev.ports import free_port
from pennant_dev.settings import REPOSITORY

ACCESS, SECRET = "administrator", "only of this test"
BUCKET = "models"
DEADLINE_SECONDS = 60
BLOCK = 1 << 16


@dataclass(frozen=True)
class S3:
    """The server; its bucket is a folder."""

    url: str
    bucket: Path
    program: Path

    @property
    def credentials(self) -> dict[str, str]:
        """What serving.credentialsSecret holds."""
        return variables(self.url, ACCESS, SECRET)

    def user(self, access: str, secret: str) -> dict[str, str]:
        """The credentials of somebody new, who may do nothing yet."""
        command = [str(self.program), "admin", "--access", ACCESS, "--secret", SECRET]
        command += ["--endpoint-url", self.url, "create-user", "--access", access]
        command += ["--secret", secret, "--role", "user"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return variables(self.url, access, secret)

    def put(self, key: str, content: bytes) -> None:
        """An object, by the same library that reads it."""
        from obstore.store import S3Store

        store = S3Store(
            BUCKET,
            endpoint=self.url,
            access_key_id=ACCESS,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
        )
        store.put(key, content)


def variables(url: str, access: str, secret: str) -> dict[str, str]:
    return {
        "MLFLOW_S3_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        # Nobody is asked for a cloud identity outside this machine.
        "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
    }


def mlflow_s3_variables(server: S3) -> dict[str, str]:
    """What an MLflow server needs to keep its artifacts there, its library included."""
    python = environment("boto3", REPOSITORY / "requirements" / "boto3.txt")
    (library,) = python.parent.parent.glob("lib/python3*/site-packages")
    return {**server.credentials, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(library)}


@contextlib.contextmanager
def s3_server(folder: Path, authority: Authority | None = None) -> Iterator[S3]:
    """Runs a server with one bucket in `folder`; with an authority, by TLS."""
    program = ensure("versitygw")["versitygw"]
    bucket, users, port = folder / "data" / BUCKET, folder / "users", free_port()
    bucket.mkdir(parents=True)
    users.mkdir()
    command = [str(program), "--quiet", "--port", f"127.0.0.1:{port}", "--health", "/health"]
    command += ["--iam-dir", str(users), "--access", ACCESS, "--secret", SECRET]
    if authority is not None:
        authority.create()
        authority.issue("s3", "/CN=s3", ["IP:127.0.0.1"])
        command += ["--cert", str(authority.path("s3.crt"))]
        command += ["--key", str(authority.path("s3.key"))]
    log = folder / "s3.log"
    with log.open("ab") as output:
        command += ["posix", str(bucket.parent)]
        server = subprocess.Popen(command, stdout=output, stderr=output, env=dict(os.environ))
    try:
        _wait_for(port, server, log)
        yield S3(f"http{'s' if authority else ''}://127.0.0.1:{port}", bucket, program)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"versitygw did not come up:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


class BreakingWire:
    """Hands connections on to a server, and breaks off answers of more than some bytes."""

    def __init__(self, url: str, *, after: int, breaks: int | None, stalls: bool = False) -> None:
        self._target = url.removeprefix("http://").partition(":")
        self._after, self._breaks, self._stalls = after, breaks, stalls
        self._over, self._counting = threading.Event(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.broken = 0

    def __enter__(self) -> BreakingWire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._target[0], int(self._target[2])))
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError), client, server:
            while block := server.recv(BLOCK):
                client.sendall(block)
                sent += len(block)
                if sent > self._after and self._is_to_break():
                    if self._stalls:
                        self._over.wait(30)
                    client.shutdown(socket.SHUT_RDWR)
                    return

    def _is_to_break(self) -> bool:
        """Whether there are more to break; this one is counted then, whatever thread asks."""
        with self._counting:
            more = self._breaks is None or self.broken < self._breaks
            self.broken += more
            return more


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
