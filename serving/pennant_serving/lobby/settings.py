"""Settings of the lobby, read once from the environment that the operator renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pennant_serving.address import Address
from pennant_serving.environ import Environ, SettingsError

LEAST_BYTES = 1 << 20
ANSWER_SECONDS = 30.0
"""Seconds for what waited as long as it may to be answered, before the process ends."""


@dataclass(frozen=True)
class LobbySettings:
    """Everything a lobby needs to know."""

    to: Address
    grpc_to: Address | None = None
    """None means no gRPC."""
    max_wait: float = 30.0
    """Seconds that a request waits for a pod, in all."""
    max_bytes: int = 64 << 20
    """Bytes of requests that are in memory, in all."""
    drain_seconds: float = 60.0
    """Seconds from SIGTERM to the end of the process, at most."""
    port: int = 8080
    grpc_port: int = 9000
    probe_port: int = 8081

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> LobbySettings:
        """Raises SettingsError, naming the variable and its value."""
        env = Environ(variables)
        max_wait = env.seconds("PENNANT_LOBBY_MAX_WAIT", 30)
        grpc_to = env.optional("PENNANT_LOBBY_GRPC_TO")
        return cls(
            to=_address("PENNANT_LOBBY_TO", env.text("PENNANT_LOBBY_TO")),
            grpc_to=_address("PENNANT_LOBBY_GRPC_TO", grpc_to) if grpc_to else None,
            max_wait=max_wait,
            max_bytes=env.integer(
                "PENNANT_LOBBY_MAX_BYTES", 64 << 20, low=LEAST_BYTES, high=1 << 40
            ),
            drain_seconds=env.seconds("PENNANT_DRAIN_SECONDS", max_wait + ANSWER_SECONDS),
            port=env.integer("PENNANT_PORT", 8080, low=1, high=65535),
            grpc_port=env.integer("PENNANT_GRPC_PORT", 9000, low=1, high=65535),
            probe_port=env.integer("PENNANT_LOBBY_PROBE_PORT", 8081, low=1, high=65535),
        )


def _address(name: str, value: str) -> Address:
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, or half an IPv6 address
        host = port = None
    if not host or not port or parts.netloc != value or "@" in value:
        raise SettingsError(f"{name}={value!r} is not host:port: set that of the pods' Service")
    return Address(host, port)
