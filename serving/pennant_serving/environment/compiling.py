"""Byte code of an environment that many pods start from."""

from __future__ import annotations

import compileall
import re
from pathlib import Path

from pennant_serving import cpus

TESTS = re.compile(r"/tests?/")
"""A third of scikit-learn's code, which no server imports."""


def compile_all(folder: Path) -> None:
    """All but tests; what does not compile is left to whoever imports it."""
    workers = cpus.available()
    compileall.compile_dir(str(folder), quiet=2, rx=TESTS, workers=workers, legacy=False)
