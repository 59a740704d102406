"""The shares of one process: what the traffic file asks for, done with its requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from starlette.types import ASGIApp

from pennant_serving.address import Address
from pennant_serving.admission import Admission
from pennant_serving.http.connections.sharing import Choosing, Chosen
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.settings import Settings
from pennant_serving.traffic.choosing import Chooser, Headers, Predictions
from pennant_serving.traffic.counting import Tallies
from pennant_serving.traffic.following import TrafficFile
from pennant_serving.traffic.handing import Handing
from pennant_serving.traffic.mirroring import Mirroring
from pennant_serving.traffic.shares import HandOver, Shares
from pennant_serving.traffic.upstream import Upstream


@dataclass(frozen=True)
class Ways:
    """What is done while the file stays as it is."""

    chooser: Chooser
    handed: Chosen | None
    mirrored: Chosen | None

    def choose(self, method: bytes, target: bytes, headers: Headers) -> Chosen | None:
        """What becomes of a request of a share."""
        share = self.chooser.choose(method, target, headers)
        if share is None:
            return None
        return self.handed if isinstance(share, HandOver) else self.mirrored


class Sharing:
    """Made where there is a traffic file."""

    def __init__(
        self,
        settings: Settings,
        app: ASGIApp,
        own: AdapterRoutes,
        telemetry: Telemetry,
        admission: Admission,
    ) -> None:
        self._settings = settings
        self._app = app
        self._telemetry = telemetry
        self._admission = admission
        self._tallies = Tallies(telemetry, (settings.model, settings.version))
        self._predictions = Predictions(settings.model, own.answers)
        self._upstreams: list[Upstream] = []

    async def follow(
        self, lifecycle: Lifecycle, install: Callable[[Choosing | None], None]
    ) -> None:
        """Have requests shared as the file says, once the pod itself can answer; until
        cancelled."""
        await lifecycle.started.wait()
        path = Path(self._settings.traffic_file)
        heed = lambda shares: install(self.ways(shares))  # noqa: E731
        await TrafficFile(path, heed, self._tallies.unreadable).follow()

    def ways(self, shares: Shares) -> Ways | None:
        """Those of these shares, in the place of those before; None where nothing is shared."""
        for upstream in self._upstreams:
            upstream.close()
        self._upstreams.clear()
        if not shares:
            return None
        self._tallies.begin(shares)
        chooser = Chooser(shares, self._predictions, Random())  # noqa: S311 - no secret
        return Ways(chooser, self._handed(shares), self._mirrored(shares))

    def _handed(self, shares: Shares) -> Chosen | None:
        share = shares.hand_over
        if share is None:
            return None
        handing = Handing(
            share=share,
            upstream=self._upstream(share.to),
            app=self._app,
            admission=self._admission,
            telemetry=self._telemetry,
            tallies=self._tallies,
            seconds=self._settings.request_timeout,
        )
        return Chosen(handing)

    def _mirrored(self, shares: Shares) -> Chosen | None:
        share = shares.mirror
        if share is None:
            return None
        upstream, seconds = self._upstream(share.to), self._settings.request_timeout
        mirroring = Mirroring(share, upstream, self._app, self._tallies, seconds)
        return Chosen(mirroring, mirroring.copy)

    def _upstream(self, address: Address) -> Upstream:
        upstream = Upstream(address)
        self._upstreams.append(upstream)
        return upstream
