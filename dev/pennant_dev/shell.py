"""Running commands, timing steps and waiting with a deadline."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO


class DevError(Exception):
    """Something the person at the terminal has to know or do; printed without a traceback."""


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    check: bool = True,
) -> str:
    """Standard output of a command; DevError with its standard error when it fails."""
    words = [str(each) for each in argv]
    try:
        done = subprocess.run(words, input=stdin, cwd=cwd, env=env, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise DevError(f"`{words[0]}` is not installed") from error
    if check and done.returncode != 0:
        output = (done.stderr or done.stdout).strip()[-2000:]
        raise DevError(f"`{' '.join(words)[:300]}` failed with {done.returncode}: {output}")
    return done.stdout


def feed(argv: Sequence[str | Path], write: Callable[[IO[bytes]], None]) -> None:
    """Run a command on what is written to its standard input; DevError when it fails."""
    words = [str(each) for each in argv]
    with subprocess.Popen(words, stdin=PIPE, stdout=DEVNULL, stderr=PIPE) as process:
        assert process.stdin
        with suppress(BrokenPipeError):  # its standard error says why it listens no longer
            write(process.stdin)
        output = process.communicate()[1].decode().strip()[-2000:]
    if process.returncode != 0:
        raise DevError(f"`{' '.join(words)[:300]}` failed with {process.returncode}: {output}")


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Whether a command exists and exits with 0."""
    words = [str(each) for each in argv]
    try:
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


def eprint(line: str) -> None:
    """One line for the person; standard output stays free for values."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a finished step with its seconds."""
    begun = time.monotonic()
    yield
    eprint(f"{title}: {time.monotonic() - begun:.1f} s")


def side_by_side(*jobs: Callable[[], object]) -> None:
    """Do jobs at the same time.

    A failure is printed when it happens; the first is raised when all the others have ended.
    """
    failures = []
    with ThreadPoolExecutor(len(jobs)) as pool:
        for each in as_completed([pool.submit(job) for job in jobs]):
            if failure := each.exception():
                eprint(f"failed, and waits for what runs beside it: {failure}")
                failures.append(failure)
    if failures:
        raise failures[0]


def wait_until(condition: Callable[[], bool], what: str, seconds: float, poll: float = 0.1) -> None:
    """Poll until the condition holds; DevError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DevError(f"{what}: still waiting after {seconds:.0f} s")
        time.sleep(poll)
