"""Processes that run a function and end with it."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

PR_SET_PDEATHSIG = 1
"""Linux: the signal that a process gets when its parent is gone."""


def fork(work: Callable[[], int]) -> int:
    """A process that ends with what `work` returns, or with this one; its id.

    SIGTERM ends it at once, until it says otherwise: raised as an exception somewhere in a library,
    or in an event loop that has no handler yet, it might not end it at all. On SIGABRT it says
    where each of its threads is.
    """
    with undisturbed():
        process = os.fork()
        if process == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            faulthandler.enable()
            _end_as(work)
    return process


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No SIGTERM while a process is forked: it would find either of the two half made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end(process: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Tell a process to end, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def abort(process: int) -> None:
    """End a process by SIGABRT, on which it writes where its threads are, without a core dump."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process, resource.RLIMIT_CORE, (0, 0))
    end(process, signal.SIGABRT)


def ended() -> Iterator[tuple[int, int]]:
    """The processes that have ended since, and their exit codes."""
    with contextlib.suppress(ChildProcessError):  # there are none any more
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            yield process, os.waitstatus_to_exitcode(status)


def _end_as(work: Callable[[], int]) -> None:
    """The rest of a forked process: it must never return into its parent's code."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
    code = 2
    try:
        code = work()
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 2
    except BaseException:  # noqa: BLE001 - printed here, because nobody above will
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
