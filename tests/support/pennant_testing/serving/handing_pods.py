"""A pod whose requests are all handed over, and what its client got of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import PlainTextResponse

from pennant_serving.address import Address
from pennant_serving.admission import Admission
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.traffic.counting import Tallies
from pennant_serving.traffic.handing import Handing
from pennant_serving.traffic.shares import HandOver, Shares
from pennant_serving.traffic.upstream import Upstream

BODY = b'{"instances": [[1.0]]}'


@dataclass
class Answered:
    """What the client got, and what was counted."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


class Pod:
    """One whose requests are all handed over; itself it answers "own"."""

    def __init__(self, to: Address, *, status: int = 200, seconds: float = 5.0) -> None:
        share = HandOver(to, "r8", "8", 1_000_000, None)
        telemetry = Telemetry("iris", "7")
        self.tallies = Tallies(telemetry, ("iris", "7"))
        self.tallies.begin(Shares(share))
        self.admission = Admission()
        self._telemetry = telemetry
        self._status = status
        self._handing = Handing(
            share, Upstream(to), self._own, self.admission, telemetry, self.tallies, seconds
        )
        self.waiting = self._handing.waiting
        self.own_bodies: list[bytes] = []

    async def _own(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.own_bodies.append(body)
        await PlainTextResponse("own", self._status)(scope, receive, send)

    async def asked(self, *parts: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answered:
        """One request, whose body arrives in parts."""
        left, answered = list(parts or (BODY,)), Answered()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.status, answered.headers = message["status"], message["headers"]
            else:
                answered.parts.append(message.get("body", b""))

        scope = {
            "type": "http", "method": "POST", "path": "/invocations", "raw_path": b"/invocations",
            "query_string": b"a=1", "headers": [(b"host", b"news"), *headers],
        }  # fmt: skip
        await self._handing(scope, receive, send)
        return answered

    def counts(self) -> dict[str, int]:
        """Those that are not 0."""
        report = self.tallies.report(self._telemetry.last_answers.last(300))
        answers = report.get("handedOver", {}).get("answers", {})
        return {outcome: count for outcome, count in answers.items() if count}
