"""The first process of several: it keeps its workers running until all have drained.

It only watches (`board`): it ends a worker whose event loop has stopped, replaces those that have
ended, and ends itself when they have drained.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from pennant_serving.failures import PodError, Reason, failure_message, print_cause
from pennant_serving.lifecycle.board import Board, Place, State, silent
from pennant_serving.metrics.last_answers import discard_old
from pennant_serving.metrics.sharing import retire
from pennant_serving.process.forking import abort, end, ended, fork, undisturbed

GAVE_UP_EXIT_CODE = 1
"""The exit code of a worker that has left the reason in the folder."""
LOST_EXIT_CODE = 3
"""Of one whose threads are all in predictions that do not end. No crash: it took its time."""
CRASH_WINDOW_SECONDS = 60.0
"""In which each worker may crash once on the average, and no more."""
LOOK_SECONDS = 1.0
"""Between two looks at the workers' signs of life."""
LEAST_SILENCE_SECONDS = 5.0
"""Of silence, at least, before a worker is ended: a busy machine may stop it a while."""

Work = Callable[[Place], int]


class Supervisor:
    """Keeps a number of workers running, and ends those that are silent for too long."""

    def __init__(
        self, workers: int, listener: socket.socket, folder: Path, silence_seconds: float
    ) -> None:
        self._count = workers
        self._listener = listener
        self._folder = folder
        self._silence_seconds = silence_seconds
        self._board = Board(workers)
        self._names = map(str, count(1))
        self._work: Work
        self._workers: dict[int, Place] = {}
        self._aborted: set[int] = set()
        """Those that were silent: they were sent the first of two signals."""
        self._crashes: list[float] = []
        self._draining = False

    def start(self, work: Work) -> None:
        """Start all workers; each ends with what `work` returns."""
        self._work = work
        for number in range(self._count):
            self._add(number)

    def run(self) -> None:
        """Replace workers that end, until all have drained.

        Raises PodError when too many crash, and that of the first worker that gave up.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # only waited for
        looked = time.monotonic()
        while self._workers:
            for process, code in ended():
                if process in self._workers:
                    self._ended(process, code)
            now = time.monotonic()
            # Otherwise this process was stopped, and so were the others.
            if now - looked < 2 * LOOK_SECONDS:
                self._end_silent(now)
            looked = now
            signal.sigtimedwait({signal.SIGCHLD}, LOOK_SECONDS)

    @property
    def stand_in(self) -> Place:
        """For who answers the probes until a worker is ready."""
        return Place(self._board, self._board.stand_in, self._folder / "0")

    def terminate(self, *_: object) -> None:
        """Let all workers drain."""
        self._draining = True
        self._listener.close()  # or who connects after the last worker would wait for nobody
        if not self._workers:
            sys.exit(0)
        for process in self._workers:
            end(process)

    def _add(self, number: int) -> None:
        """Another worker, unless all are to end: nobody would tell this one."""
        if self._draining:
            return
        place = Place(self._board, number, self._folder / next(self._names))
        place.report(State.STARTING)
        with undisturbed():
            process = fork(lambda: self._work(place))
            self._workers[process] = place
        if self._draining:  # since then
            end(process)

    def _ended(self, process: int, code: int) -> None:
        place = self._workers.pop(process)
        place.report(State.ABSENT)
        retire(place.counts)
        discard_old(self._folder)
        if self._draining:
            return
        if code == GAVE_UP_EXIT_CODE:
            self.terminate()
            raise left(place)
        print(f"worker {process} ended with {code} and is replaced", flush=True)
        if code != LOST_EXIT_CODE and process not in self._aborted:
            self._crashes.append(time.monotonic())
        self._aborted.discard(process)
        if too_many(self._crashes, self._count, time.monotonic()):
            self.terminate()
            message = (
                f"more than {self._count} workers ended in {CRASH_WINDOW_SECONDS:g} s,"
                f" the last with {code}"
            )
            raise PodError(Reason.START_FAILED, message)
        self._add(place.number)

    def _end_silent(self, now: float) -> None:
        """First by SIGABRT, on which a worker writes where its threads are, then by SIGKILL."""
        quiet = silent(self._board.seen(), now, self._silence_seconds)
        for process, place in self._workers.items():
            if place.number not in quiet:
                continue
            if process in self._aborted:
                end(process, signal.SIGKILL)
                continue
            print(f"worker {process} has been silent for {self._silence_seconds:g} s", flush=True)
            self._aborted.add(process)
            abort(process)


def leave(error: PodError, place: Place) -> None:
    """Leave this process's error to the first one: two that wrote one termination message at a
    time would spoil it."""
    print_cause(error)
    _failure(place).write_bytes(failure_message(error))


def left(place: Place) -> PodError:
    """The error that a process has left."""
    failure = json.loads(_failure(place).read_bytes())
    return PodError(Reason(failure["reason"]), failure["message"])


def _failure(place: Place) -> Path:
    return place.counts.with_suffix(".failure")


def too_many(crashes: Sequence[float], count: int, now: float) -> bool:
    """Whether workers crash faster than is worth replacing them."""
    return sum(now - CRASH_WINDOW_SECONDS < moment for moment in crashes) > count
