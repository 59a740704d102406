"""Ports of this machine's for servers that are told where to listen."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

BLOCK = 100
# Below those that the kernel gives whoever connects or listens: what is free stays free until it
# is used.
BLOCKS = range(20_000, 30_000, BLOCK)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on; another one each time, thread and process."""
    with _ONE_AT_A_TIME:
        for port in _PORTS:
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port
    raise RuntimeError("there is no free port left")


def _ports() -> Iterator[int]:
    """Each port once, in an order that no test's seed repeats, of blocks that nobody else has."""
    for block in random.SystemRandom().sample(BLOCKS, len(BLOCKS)):
        if _claim(block):
            yield from range(block, block + BLOCK)


def _claim(block: int) -> bool:
    """Whether a block is this process's from now on: its name is taken until the process ends.

    The kernel keeps such names (abstract ones of Unix sockets), so that nothing is left behind.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0pennant-ports-{block}")
    except OSError:
        claim.close()
        return False
    claim.detach()  # it stays open
    return True


_PORTS = _ports()
_ONE_AT_A_TIME = threading.Lock()
