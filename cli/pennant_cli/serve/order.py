"""What a person asks for."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import timedelta

from pennant_cli.exit_codes import CommandError
from pennant_cli.serve.target import Target

BACKLOG = 2048


@dataclass(frozen=True)
class Order:
    """The arguments of `pennant serve`."""

    target: Target
    host: str
    port: int
    adapter: str
    poll: timedelta | None
    """How often to look where the alias points; None: only once."""

    def listen(self) -> socket.socket:
        """The socket that every version's server gets. Raises CommandError."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise CommandError(
                f"--host {self.host} --port {self.port}: {error.strerror}: give another --port, "
                "such as 8081, or as --host an address of this machine"
            ) from error
