"""A server of the standard library that answers in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer

POLL_SECONDS = 0.01  # in which it notices that it is to end


@contextmanager
def answering(server: TCPServer) -> Iterator[int]:
    """Its port, until the block is left."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
