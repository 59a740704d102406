"""`kubectl get mldep --watch`, printed line by line as something changes."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from pennant_dev.demo.kube import Kube
from pennant_dev.shell import eprint

AGE_COLUMNS = 1
"""The last column changes all the time and does not count as a change."""


@contextmanager
def shown(kube: Kube, name: str, namespace: str, aside: Callable[[], str]) -> Iterator[None]:
    """While the block runs, print the object's line whenever it changes, and `aside` beside it."""
    words = ("get", "modeldeployment", name, f"--namespace={namespace}", "--watch")
    watching = kube.stream(*words, take=partial(_print, aside))
    try:
        yield
    finally:
        watching.stop()


def _print(aside: Callable[[], str], lines: Iterable[str]) -> None:
    begun = time.monotonic()
    for line in changes(lines):
        if line.startswith("NAME"):
            eprint(f"           {line.rstrip()}")
        else:
            eprint(f"  {time.monotonic() - begun:5.1f} s  {line.rstrip():<98}  {aside()}".rstrip())


def changes(lines: Iterable[str]) -> Iterator[str]:
    """The lines that differ from the one before in anything but their age."""
    last: list[str] = []
    for line in lines:
        words = line.split()[:-AGE_COLUMNS]
        if words != last:
            yield line
        last = words
