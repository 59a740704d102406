"""What the workers of one test run share: a folder, things that are made once, and the cluster.

Locks are of the kernel's (`flock`): a worker that is killed holds none.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class SharedOnce:
    """The workers of one run, by the folder that is theirs alone."""

    folder: Path

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What the first who asks makes, as JSON; the others wait for it."""
        made = self.folder / f"{name}.json"
        with self._lock(f"{name}.once", fcntl.LOCK_EX):
            if not made.exists():
                made.write_text(json.dumps(make()))
        return json.loads(made.read_text())

    @contextmanager
    def guest(
        self, name: str, opens: Callable[[], object], closes: Callable[[], object]
    ) -> Iterator[None]:
        """Be one of those who use a thing that the first of them opens and the last one closes."""
        with self._opened(f"{name}.guests") as guests:
            with self._lock(f"{name}.door", fcntl.LOCK_EX):
                if _alone(guests):
                    with _undone_by(closes):
                        opens()
                fcntl.flock(guests, fcntl.LOCK_SH)
            try:
                yield
            finally:
                with self._lock(f"{name}.door", fcntl.LOCK_EX):
                    if _alone(guests):
                        closes()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Use the cluster beside others."""
        with self._lock("cluster", fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the cluster to oneself, once all others are done."""
        with self._lock("cluster", fcntl.LOCK_EX):
            yield

    @contextmanager
    def _lock(self, name: str, how: int) -> Iterator[None]:
        with self._opened(name) as lock:
            fcntl.flock(lock, how)
            yield

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[str]]:
        with (self.folder / f"{name}.lock").open("w") as opened:
            yield opened


@contextmanager
def _undone_by(closes: Callable[[], object]) -> Iterator[None]:
    """What opened only in part is closed as well."""
    try:
        yield
    except BaseException:
        closes()
        raise


def _alone(lock: IO[str]) -> bool:
    """Whether nobody else holds it; then it is ours, and ours alone."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
