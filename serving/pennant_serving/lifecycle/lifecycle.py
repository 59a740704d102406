"""Starting, ready, draining: what the probes answer, and the model once there is one."""

from __future__ import annotations

import asyncio
import time
from enum import Enum

from pennant_serving.errors import Unavailable
from pennant_serving.lifecycle.board import Place, State, can_answer, is_live
from pennant_serving.model.model import Model


class Phase(Enum):
    """The life of a process goes one way."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Lifecycle:
    """The one mutable object of the server."""

    def __init__(self, place: Place | None = None) -> None:
        self.phase = Phase.STARTING
        self.started = asyncio.Event()
        """Ready, or never to be."""
        self.draining = asyncio.Event()
        self._model: Model | None = None
        self._place = place
        """Among the workers of a pod that has several; a probe asks for all of them."""

    @property
    def model(self) -> Model:
        """The model, which goes on answering while draining. Raises Unavailable before."""
        if self._model is None:
            raise Unavailable("the model is still being loaded")
        return self._model

    @property
    def state(self) -> State:
        """What this process is good for."""
        if self._model is None:
            return State.STARTING
        if self._model.lost:
            return State.LOST
        return State.STUCK if self._model.stuck else State.READY

    @property
    def is_ready(self) -> bool:
        """Requests are welcome, and there is somebody to answer them."""
        if self.phase is not Phase.READY:
            return False
        others = self._place.others() if self._place else ()
        return self.state is State.READY or can_answer(others, time.monotonic())

    @property
    def is_live(self) -> bool:
        """False when only a new process will help."""
        return is_live(self.state, self._place.others() if self._place else ())

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
