"""`python -m bench.scale 100 1000 5000`: how Pennant behaves with that many ModelDeployments.

After each size the table and the picture of docs/scale.md are made anew, so that what was measured
stands even if a larger fleet is too much for the machine.
"""

import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.scale.report import Measured, publish, setting
from bench.scale.run import measure
from pennant_dev.shell import eprint

ENOUGH, EACH = 900, 0.7
"""Seconds after which a size is given up: so many, and so many more for each ModelDeployment."""


def main(sizes: Sequence[int]) -> int:
    """Measure each size and publish it; the exit code is 1 when one could not be measured."""
    failed, run = 0, setting(sizes)
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="pennant-scale-"))
        try:
            with _within(ENOUGH + EACH * size):
                figures = measure(size, folder)
        except Exception:  # noqa: BLE001 - the other sizes are measured all the same
            failed += 1
            eprint(f"{traceback.format_exc()}\n{size} were not measured; what was logged: {folder}")
        else:
            shutil.rmtree(folder)
            publish(Measured(run, figures))
    return min(failed, 1)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """TimeoutError after so long, and again if the way out of it takes long, too."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"this size was given up after {seconds:.0f} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or [100, 1000]))
