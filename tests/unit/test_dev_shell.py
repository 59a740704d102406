"""Commands, and jobs side by side."""

import io
import sys
import threading
from typing import IO

import pytest

from pennant_dev.shell import DevError, feed, side_by_side

pytestmark = pytest.mark.unit


class Announcing(io.StringIO):
    """A standard error that tells when something is said on it."""

    def __init__(self, what: str, seen: threading.Event) -> None:
        super().__init__()
        self.what, self.seen = what, seen

    def flush(self) -> None:
        if self.what in self.getvalue():
            self.seen.set()


def test_jobs_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    side_by_side(both.wait, both.wait)


def test_a_failure_is_said_while_the_other_job_goes_on(monkeypatch):
    failed, went_on = threading.Event(), threading.Event()
    monkeypatch.setattr(sys, "stderr", Announcing("no such package", failed))

    def fails() -> None:
        raise DevError("no such package")

    def goes_on() -> None:
        if failed.wait(10):
            went_on.set()

    with pytest.raises(DevError, match="no such package"):
        side_by_side(fails, goes_on)
    assert went_on.is_set()


def test_of_two_failures_none_is_lost(capsys):
    first_failed = threading.Event()

    def first() -> None:
        first_failed.set()
        raise DevError("the first")

    def second() -> None:
        assert first_failed.wait(10)
        raise DevError("the second")

    with pytest.raises(DevError):
        side_by_side(first, second)
    errors = capsys.readouterr().err
    assert "the first" in errors
    assert "the second" in errors


def test_a_command_reads_what_is_written_and_says_why_it_fails():
    def write(into: IO[bytes]) -> None:
        into.write(b"layer")

    feed(["grep", "--quiet", "layer"], write)
    with pytest.raises(DevError, match="failed with 3: too few"):
        feed(["sh", "-c", "cat > /dev/null; echo too few >&2; exit 3"], write)


def test_a_command_that_stops_reading_says_why():
    def write(into: IO[bytes]) -> None:
        for _ in range(100):
            into.write(b"layer" * 100_000)

    with pytest.raises(DevError, match="failed with 1: disk full"):
        feed(["sh", "-c", "echo disk full >&2; exit 1"], write)
