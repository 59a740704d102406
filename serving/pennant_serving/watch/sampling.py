"""Which requests are recorded, and what is told of them at their end."""

from __future__ import annotations

from collections.abc import Sequence

from pennant_serving.accesslog import request_id
from pennant_serving.settings import Settings
from pennant_serving.watch.payloads import PayloadLog
from pennant_serving.watch.record import Record

INFERENCE = ("/infer", "/invocations", "/ModelInfer")
"""How the routes end that ask the model; an adapter's own are of protocol `own`."""

Headers = Sequence[tuple[bytes, bytes]]


class Watch:
    """Draws samples for the payload log."""

    def __init__(self, payloads: PayloadLog) -> None:
        self._payloads = payloads

    def begin(self, headers: Headers) -> Record | None:
        """The record of a request that is drawn."""
        if not self._payloads.draws():
            return None
        return Record(request_id(headers), self._payloads)

    def end(
        self, record: Record, protocol: str, route: str, status: int | str, seconds: float
    ) -> None:
        """Tell of a request that ended; gRPC's statuses are names."""
        if record.payloads is None or protocol == "own" or not route.endswith(INFERENCE):
            return
        line = {"id": record.id.decode("ascii"), "protocol": protocol, "route": route}
        told = {"inputs": record.inputs, "outputs": record.outputs}
        record.payloads.write(line | told | {"status": status, "seconds": round(seconds, 6)})


def create_watch(settings: Settings) -> Watch | None:
    """As the settings say; None when nothing is to be recorded."""
    if not settings.payload_log_ratio:
        return None
    identity = settings.model, settings.version
    return Watch(PayloadLog(*identity, settings.payload_log_ratio, settings.payload_log_redact))
