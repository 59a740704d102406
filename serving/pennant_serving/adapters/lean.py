"""Imports without packages that a library only imports because they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Modules that are imported inside take these packages for not installed.

    Those that are there already stay.
    """
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system: not installed
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
