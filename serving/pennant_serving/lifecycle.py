"""Starting, ready, draining: what the probes answer, and the model once there is one."""

from __future__ import annotations

import asyncio
from enum import Enum

from pennant_serving.errors import Unavailable
from pennant_serving.model import Model


class Phase(Enum):
    """The life of a process goes one way."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Lifecycle:
    """The one mutable object of the server."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self.started = asyncio.Event()
        """Ready, or never to be."""
        self.draining = asyncio.Event()
        self._model: Model | None = None

    @property
    def has_model(self) -> bool:
        return self._model is not None

    @property
    def model(self) -> Model:
        """The model, which goes on answering while draining. Raises Unavailable before."""
        if self._model is None:
            raise Unavailable("the model is still being loaded")
        return self._model

    @property
    def is_ready(self) -> bool:
        """Requests are welcome, and there is somebody to answer them."""
        stuck = self._model is not None and self._model.batcher.stuck
        return self.phase is Phase.READY and not stuck

    @property
    def is_live(self) -> bool:
        """False when only a new process will help."""
        return self._model is None or not self._model.batcher.lost

    def ready(self, model: Model) -> None:
        """The model answered its self-test; a drain that came first stays a drain."""
        self._model = model
        if self.phase is Phase.STARTING:
            self.phase = Phase.READY
        self.started.set()

    def drain(self) -> None:
        """Readiness fails from now on."""
        self.phase = Phase.DRAINING
        self.started.set()
        self.draining.set()
