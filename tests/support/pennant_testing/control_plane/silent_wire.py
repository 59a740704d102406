"""A wire to a server that falls silent when told to: nothing is refused, nothing arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class SilentWire:
    """A TCP proxy on a port of its own."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]

    def cut(self) -> None:
        """From now on nothing passes, on old connections and on new ones; for ever."""
        self._cut.set()

    def serve(self) -> None:
        """Accept until `close`."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += (client, server)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._cut.is_set():
                    sink.sendall(data)
            if not self._cut.is_set():
                sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._sockets):
            each.close()


@contextlib.contextmanager
def wire(port: int) -> Iterator[SilentWire]:
    """A wire to a port of this machine."""
    made = SilentWire(port)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(timeout=5)
