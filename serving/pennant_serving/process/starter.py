"""A server that shares its port with one of another version: who starts both gives them a socket.

So no connection that waits in its queue is lost when one server ends and the other begins to
accept. `pennant serve` starts servers so; a pod has a port of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path


def given(descriptor: int) -> socket.socket:
    """The socket with that file descriptor. This process ends with who gave it, whose end closes
    standard input. Raises OSError."""
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError as error:
        raise OSError(f"PENNANT_LISTENER_FD={descriptor} is no socket: {error}") from error
    # There is nothing to drain yet, and an event loop without a handler might not end at all.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_starter, args=(_input_taken(),), daemon=True).start()
    return listener


def _input_taken() -> int:
    """Standard input under another descriptor: a model that reads it finds nothing, as in a pod."""
    taken = os.dup(sys.stdin.fileno())
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    return taken


def _end_with_starter(starter: int) -> None:
    while os.read(starter, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
