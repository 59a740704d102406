"""Prints what was decided, after it was done, from a thread of its own.

Nothing waits for it: where standard output is full or broken, or more is decided than can be
printed, decisions are lost, and the next line says how many.
"""

import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

from pennant_operator.decide.record.chain import HEAD, Chain, line_text
from pennant_operator.decide.record.cut import cut_to_limit
from pennant_operator.decide.record.inputs import input_line
from pennant_operator.decide.record.line import Decision, decision_line

LOG = logging.getLogger(__name__)
WAITING_DECISIONS_LIMIT = 1000  # that are done and not printed yet; what is more is lost
END_SECONDS = 2.0  # for those that are left when the operator ends

STANDARD_OUTPUT = 1
Write = Callable[[bytes], object]


def ignore(_: Decision) -> None:
    """Where nothing is to be printed."""


def to_standard_output(data: bytes) -> None:
    """Around Python's buffer: what fails is not written later."""
    if sys.stdout is None:  # it was closed before this began: its number may be another file's
        raise OSError("it was closed before the operator began")
    left = memoryview(data)
    while left:
        left = left[os.write(STANDARD_OUTPUT, left) :]


class Decisions:
    """The decisions of this process, as chained lines."""

    def __init__(self, write: Write, process: str, *, full: bool) -> None:
        self.head: str | None = None  # the last line: process, number and hash
        # The head of the process that led before, where somebody knows it by the first line.
        self.predecessor: Callable[[], str | None] = lambda: None
        self._write = write
        self._chain = Chain(process)
        self._full = full
        self._waiting = queue.Queue[Decision | None](WAITING_DECISIONS_LIMIT)
        self._overflowed = 0  # decisions that nobody could take; counted by whoever records
        self._failed = 0  # that were not printed; by the thread, as the next one
        self._reported = 0  # of both, that a line tells of
        self._torn = False  # the last line may have been written in part
        self._thread: threading.Thread | None = None
        self._resting = set[tuple[str, str]]()  # of which the last pass led to nothing

    def record(self, decision: Decision) -> None:
        """Have it printed if it is to be, without waiting for that."""
        if not self.wants(decision):
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="decisions", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(decision)
        except queue.Full:
            self._overflowed += 1

    def close(self) -> None:
        """Return once all is printed, or cannot be in time."""
        if self._thread is None:
            return
        try:
            self._waiting.put(None, timeout=END_SECONDS)
        except queue.Full:
            return
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while (decision := self._waiting.get()) is not None:
            try:
                self.print(decision)
            except OSError as error:
                if not self._torn:
                    LOG.warning("decisions are lost, for standard output takes none: %s", error)
                self._torn = True
                self._failed += 1
            except Exception:  # a line that cannot be made must not keep all others from it
                LOG.exception("a decision was not printed because of a fault in the operator")
                self._failed += 1

    def wants(self, decision: Decision) -> bool:
        """Whether anything follows of it; or, where inputs are printed, it is the first that rests.

        Where a ModelDeployment rests is what a later version must leave alone.
        """
        if decision.is_news:
            self._resting.discard(decision.key)
            return True
        if not self._full or decision.key in self._resting:
            return False
        self._resting.add(decision.key)
        return True

    def print(self, decision: Decision) -> None:
        """Print one now; raises OSError."""
        if decision.is_news:
            line, lost = decision_line(decision), self._overflowed + self._failed - self._reported
            self._link({**line, "lost": lost} if lost else line, cut=True)
            self._reported += lost
        if self._full:
            self._link(input_line(decision.observed, decision.now, decision.planned), cut=False)

    def _link(self, line: dict[str, Any], *, cut: bool) -> None:
        linked = self._chain.link(line)
        after = self.predecessor() if self.head is None else None
        if after is not None and HEAD.fullmatch(after):  # whoever may write the Lease wrote it
            linked["after"] = after
        if cut:
            linked = cut_to_limit(linked)
        start = "\n" if self._torn else ""
        self._write(f"{start}{line_text(linked)}\n".encode())
        self._chain.append(linked)
        self.head = self._chain.title
        self._torn = False
