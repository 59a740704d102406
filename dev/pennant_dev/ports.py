"""Ports of this machine's for servers that are told where to listen."""

import contextlib
import random
import socket

# Below those that the kernel gives whoever connects or listens: what is free stays free until it
# is used. Each is given once, in an order that no test's seed repeats.
_PORTS = iter(random.SystemRandom().sample(range(20_000, 30_000), 10_000))


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on; another one each time."""
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("there is no free port left")
