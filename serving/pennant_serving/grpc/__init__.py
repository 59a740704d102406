"""Open Inference V2 over gRPC, beside the HTTP server.

Imported late, and only when its port is not 0: grpcio costs 20 MiB. By each worker for itself,
because grpcio does not live through a fork.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pennant_serving.admission import Admission
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.settings import Settings

if TYPE_CHECKING:  # it imports grpcio
    from pennant_serving.grpc.server import GrpcServer


async def create_grpc(
    settings: Settings, lifecycle: Lifecycle, telemetry: Telemetry, admission: Admission
) -> GrpcServer | None:
    """The server, its port still closed; None when it is off, or this image has no grpcio."""
    if not settings.grpc_port:
        return None
    with telemetry.phases.phase("grpc") as notes:
        if find_spec("grpc") is None:
            notes.append(f"skipped: there is no grpcio here, so {settings.grpc_port} stays closed")
            return None
        server_class = await asyncio.to_thread(_import)
        return server_class(settings, lifecycle, telemetry, admission)


def _import() -> type[GrpcServer]:
    from pennant_serving.grpc.server import GrpcServer

    return GrpcServer
