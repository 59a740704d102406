"""Several processes over one port: the model is loaded once, then the process forks.

The workers share the listening socket, so a connection waits in one queue for whoever accepts next;
one that is not ready accepts nothing, one that dies is forked again from the loaded model, and none
of its waiting connections are lost with it. Until the model is loaded a child without one answers
the probes. The first process only watches (`supervisor`).
"""

from __future__ import annotations

import gc
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from os import waitpid
from pathlib import Path
from typing import TypeVar

from pennant_serving.failures import PodError
from pennant_serving.lifecycle.board import Place, State
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.process.forking import end, fork
from pennant_serving.process.run import run, stand_in
from pennant_serving.process.startup import Loaded, load
from pennant_serving.process.supervisor import (
    GAVE_UP_EXIT_CODE,
    LEAST_SILENCE_SECONDS,
    LOST_EXIT_CODE,
    Supervisor,
    leave,
)
from pennant_serving.settings import Settings

T = TypeVar("T")


def supervise(settings: Settings, listener: socket.socket, phases: Phases) -> None:
    """Serve with several workers until SIGTERM. Raises PodError."""
    folder = Path(tempfile.mkdtemp(prefix="pennant-"))
    silence_seconds = max(LEAST_SILENCE_SECONDS, settings.request_timeout)
    supervisor = Supervisor(settings.workers, listener, folder, silence_seconds)
    signal.signal(signal.SIGTERM, supervisor.terminate)

    place = supervisor.stand_in

    def wait() -> int:
        stand_in(settings, listener, phases, place)
        return 0

    place.report(State.STARTING)
    waiting = fork(wait)
    try:
        with phases.phase("load"):
            loaded = _in_thread(lambda: load(settings))
    except BaseException:
        end(waiting)
        raise
    if loaded.choice.adapter is not None:  # if not, it goes on until the first worker is ready
        end(waiting)
        waitpid(waiting, 0)  # beside workers that are ready it would answer that nobody is
        place.report(State.ABSENT)
    gc.collect()
    gc.freeze()  # a collection would touch, and so copy, every page that the workers share

    def work(place: Place) -> int:
        return _serve(settings, listener, phases, loaded, place)

    supervisor.start(work)
    supervisor.run()


def _serve(
    settings: Settings, listener: socket.socket, phases: Phases, loaded: Loaded, place: Place
) -> int:
    try:
        state = run(settings, listener, phases, loaded, place)
    except PodError as error:
        leave(error, place)
        return GAVE_UP_EXIT_CODE
    return LOST_EXIT_CODE if state is State.LOST else 0


def _in_thread(function: Callable[[], T]) -> T:
    """What the function returns or raises, from a thread that is gone afterwards.

    OpenMP's threads belong to the thread that asked for them: its copy in a forked process would
    wait for ever for those that were not copied. LightGBM and XGBoost use them to load a model.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            future.set_exception(error)

    thread = threading.Thread(target=work, daemon=True)  # SIGTERM does not wait for it
    thread.start()
    try:
        return future.result()
    finally:
        if future.done():
            thread.join()
