"""Serving processes for tests that wait side by side: each test starts its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.running.side_by_side import Begun, begin

StartPod = Callable[..., AbstractContextManager[Any]]


@contextlib.contextmanager
def begin_with_pods(
    request: pytest.FixtureRequest,
    folders: pytest.TempPathFactory,
    start: StartPod,
    *given: Path,
) -> Iterator[Begun]:
    """Begin the tests of the fixture's module, each with `start` for a folder of its own."""
    base = folders.mktemp("pods")  # pytest makes folders for one thread at a time

    @contextlib.contextmanager
    def own() -> Iterator[StartPod]:
        yield partial(start, Path(tempfile.mkdtemp(dir=base)), *given)

    with begin(request, own) as tests:
        yield tests
