"""Tests that wait more than they work: those of a module begin together, each in a thread.

A test that is marked with `beside` takes one thing, what its module's fixture `begun` makes for it:

    @pytest.fixture(scope="module")
    def begun(request):
        with begin(request, Stand) as tests:
            yield tests
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest

T = TypeVar("T")
Test = Callable[[T], None]
Begun = dict[Test, Future[None]]


def beside(test: Test) -> Callable[[Begun], None]:
    """The same test, which has begun with the others that were chosen and is judged in its turn."""

    def judged(begun: Begun) -> None:
        begun[test].result()

    judged.__name__, judged.__doc__ = test.__name__, test.__doc__
    judged.begins = test
    return judged


@contextlib.contextmanager
def begin(
    request: pytest.FixtureRequest, stand: Callable[[], AbstractContextManager[T]]
) -> Iterator[Begun]:
    """Begin the chosen tests of the fixture's module, each on a stand of its own."""
    found = [item.function for item in request.session.items if item.module is request.module]
    tests = [each.begins for each in found if hasattr(each, "begins")]

    def run(test: Test) -> None:
        with stand() as own:
            test(own)

    with ThreadPoolExecutor(len(tests)) as threads:
        yield {test: threads.submit(run, test) for test in tests}
