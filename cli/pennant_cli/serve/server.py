"""One version's server: the process that a pod runs, with a socket that others have too."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import sys

from pennant_cli.exit_codes import CommandError
from pennant_cli.serve.bundles import FetchedBundle
from pennant_cli.serve.order import Order
from pennant_cli.serve.steps import Revision

READY = b'{"event": "ready", "time": '
"""The server prints it when it has passed its self-test; from then on it accepts connections. With
less of its line a model's own log could be taken for it: structlog has an `event` at first, too."""
NEEDED = ("httptools", "msgspec", "orjson", "uvicorn", "uvloop")
CHUNK_BYTES = 65536


class RefusedError(Exception):
    """A version's server ended before it was ready; the message is its reason."""


def check_installed() -> None:
    """Raises CommandError where the server's packages are missing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(
            f"the server needs {', '.join(missing)}, which is not installed: "
            "pip install 'pennant[cli,serving]'"
        )


class VersionServer:
    """It accepts connections from when it is ready until it is told to drain."""

    def __init__(self, bundle: FetchedBundle, process: asyncio.subprocess.Process) -> None:
        self.revision: Revision = bundle.revision
        self._bundle = bundle
        self._process = process
        self.is_draining = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(
        cls, bundle: FetchedBundle, order: Order, listener: socket.socket
    ) -> VersionServer:
        """Start it, with the variables that a pod has."""
        bundle.termination_log.unlink(missing_ok=True)
        variables = {
            "PENNANT_MODEL_NAME": order.target.model,
            "PENNANT_MODEL_VERSION": str(bundle.revision),
            "PENNANT_MODEL_PATH": str(bundle.path),
            "PENNANT_TERMINATION_LOG": str(bundle.termination_log),
            "PENNANT_ADAPTER": order.adapter,
            "PENNANT_PORT": str(listener.getsockname()[1]),
            "PENNANT_LISTENER_FD": str(listener.fileno()),
            "PENNANT_GRPC_PORT": "0",  # two versions cannot share that port as they do the other
            "PENNANT_WORKERS": "1",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pennant_serving"),
            env=os.environ | variables,  # noqa: TID251 - its other settings are the person's
            stdin=asyncio.subprocess.PIPE,  # its end tells the server that this process has ended
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(listener.fileno(),),
            process_group=0,  # Ctrl-C is for this process, which tells it to drain
        )
        return cls(bundle, process)

    async def watch(self) -> int:
        """Until it has ended; its exit code. What it prints goes to its log."""
        assert self._process.stdout is not None  # a pipe
        printed = b""
        with self._bundle.log.open("ab", buffering=0) as log:
            while chunk := await self._process.stdout.read(CHUNK_BYTES):
                log.write(chunk)
                if not self._ready.done():
                    printed += chunk
                    if READY in printed:
                        self._ready.set_result(None)
        code = await self._process.wait()
        if not self._ready.done():
            self._ready.set_exception(RefusedError(self._reason(code)))
        return code

    async def ready(self) -> None:
        """Wait for it, while somebody watches. Raises RefusedError."""
        await self._ready

    def drain(self) -> None:
        """It accepts no more connections, answers what has come, and ends."""
        self.is_draining = True
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _reason(self, code: int) -> str:
        try:
            failure = json.loads(self._bundle.termination_log.read_bytes())
            return f"{failure['reason']}: {' '.join(str(failure['message']).split())}"
        except (OSError, ValueError, KeyError):
            return f"its server ended with exit code {code}: its log is {self._bundle.log}"
