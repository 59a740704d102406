"""The listening socket, opened before anything is imported that takes time."""

from __future__ import annotations

import socket

BACKLOG = 2048


def listen(port: int) -> socket.socket:
    """A listener on all addresses, of both families where there are two. Raises OSError."""
    if not socket.has_dualstack_ipv6():
        return socket.create_server(("", port), backlog=BACKLOG)
    family = socket.AF_INET6
    return socket.create_server(("", port), family=family, backlog=BACKLOG, dualstack_ipv6=True)
