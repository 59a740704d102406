"""Several processes over one port: the model is loaded once, then the process forks.

The workers share the listening socket, so a connection waits in one queue for whoever accepts next;
one that is not ready accepts nothing, one that dies is forked again from the loaded model, and none
of its waiting connections are lost with it. Until the model is loaded a child without one answers
the probes. The first process only waits; it ends when the workers have drained.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from pennant_serving.failures import PodError, Reason, failure_message, print_cause
from pennant_serving.phases import Phases
from pennant_serving.run import WAITING, run
from pennant_serving.settings import Settings
from pennant_serving.sharing import retire
from pennant_serving.startup import Loaded, load
from pennant_serving.telemetry import FAMILIES

PR_SET_PDEATHSIG = 1
"""Linux: the signal that a process gets when its parent is gone."""
GAVE_UP = 1
"""The exit code of a worker that has left the reason in the folder."""
T = TypeVar("T")
WINDOW = 60.0
"""Seconds in which each worker may crash once on the average, and no more."""


def supervise(settings: Settings, listener: socket.socket, phases: Phases) -> None:
    """Serve with several workers until SIGTERM. Raises PodError."""
    folder = Path(tempfile.mkdtemp(prefix="pennant-"))
    supervisor = Supervisor(settings.workers, listener, folder)
    signal.signal(signal.SIGTERM, supervisor.terminate)

    def work(loaded: Loaded | None) -> int:
        try:
            run(settings, listener, phases, loaded, folder)
        except PodError as error:
            leave(error, folder)
            return GAVE_UP
        return 0

    (folder / WAITING).touch()
    waiting = fork(lambda: work(None))
    try:
        with phases.phase("load"):
            loaded = _in_thread(lambda: load(settings))
    except BaseException:
        end(waiting)
        raise
    if loaded.found.adapter is not None:  # if not, it goes on until the first worker is ready
        end(waiting)
        os.waitpid(waiting, 0)  # beside workers that are ready it would answer that nobody is
        (folder / WAITING).unlink(missing_ok=True)
    gc.collect()
    gc.freeze()  # a collection would touch, and so copy, every page that the workers share
    supervisor.start(lambda: work(loaded))
    supervisor.run()


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


class Supervisor:
    """Keeps a number of workers running."""

    def __init__(self, count: int, listener: socket.socket, folder: Path) -> None:
        self._count = count
        self._listener = listener
        self._folder = folder
        self._work: Callable[[], int]
        self._workers: set[int] = set()
        self._crashes: list[float] = []
        self._draining = False

    def start(self, work: Callable[[], int]) -> None:
        """Start all workers; each ends with what `work` returns."""
        self._work = work
        for _ in range(self._count):
            self._add()

    def run(self) -> None:
        """Replace workers that crash, until all have ended.

        Raises PodError when too many do, and that of the first worker that gave up.
        """
        while self._workers:
            process, status = os.wait()
            if process in self._workers:
                self._workers.discard(process)
                retire(self._folder, process, FAMILIES)
                code = os.waitstatus_to_exitcode(status)
                if code == GAVE_UP and not self._draining:
                    self.terminate()
                    raise left(process, self._folder)
                if not self._draining:
                    self._replace(process, code)

    def terminate(self, *_: object) -> None:
        """Let all workers drain."""
        self._draining = True
        self._listener.close()  # or who connects after the last worker would wait for nobody
        if not self._workers:
            sys.exit(0)
        for process in self._workers:
            end(process)

    def _add(self) -> None:
        with _undisturbed():
            self._workers.add(fork(self._work))

    def _replace(self, process: int, code: int) -> None:
        self._crashes.append(time.monotonic())
        print(f"worker {process} ended with {code} and is replaced", flush=True)
        if too_many(self._crashes, self._count, time.monotonic()):
            self.terminate()
            message = f"more than {self._count} workers ended in {WINDOW:g} s, the last with {code}"
            raise PodError(Reason.START_FAILED, message)
        self._add()


def leave(error: PodError, folder: Path) -> None:
    """Leave this process's error to the first one: two that wrote one termination message at a
    time would spoil it."""
    print_cause(error)
    _failure(os.getpid(), folder).write_bytes(failure_message(error))


def left(process: int, folder: Path) -> PodError:
    """The error that a process has left."""
    told = json.loads(_failure(process, folder).read_bytes())
    return PodError(Reason(told["reason"]), told["message"])


def _failure(process: int, folder: Path) -> Path:
    return folder / f"{process}.failure"


def too_many(crashes: Sequence[float], count: int, now: float) -> bool:
    """Whether workers crash faster than is worth replacing them."""
    return sum(now - WINDOW < moment for moment in crashes) > count


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No SIGTERM while a process is forked: it would find either of the two half made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fork(work: Callable[[], int]) -> int:
    """A process that ends with what `work` returns, or with this one; its id."""
    with _undisturbed():
        process = os.fork()
        if process == 0:
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            _end_as(work)
    return process


def end(process: int) -> None:
    """Ask a process to end, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def _end_as(work: Callable[[], int]) -> None:
    """The rest of a forked process: it must never return into its parent's code."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    code = 2
    try:
        code = work()
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 2
    except BaseException:  # noqa: BLE001 - said here, because nobody above will
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
