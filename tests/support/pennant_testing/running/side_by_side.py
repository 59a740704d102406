"""Tests that wait more than they work: those of a module begin together, each in a thread.

A test that is marked with `beside` is given what its module's fixture `begun` makes for it, and
what it is parametrized with:

    @pytest.fixture(scope="module")
    def begun(request):
        with begin(request, stand) as tests:
            yield tests
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import wraps
from inspect import Parameter
from typing import Any

import pytest

Begun = dict[str, Future[None]]


def beside(test: Callable[..., None]) -> Callable[..., None]:
    """The same test, which has begun with the others that were chosen and is judged in its turn."""

    @wraps(test)
    def judged(begun: Begun, request: pytest.FixtureRequest, **_: Any) -> None:
        begun[request.node.name].result()

    _, *given = inspect.signature(test).parameters.values()
    fixtures = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("begun", "request")]
    signature = inspect.Signature([
        *fixtures, *(each.replace(kind=Parameter.KEYWORD_ONLY) for each in given)
    ])  # fmt: skip
    vars(judged)["__signature__"] = signature  # what pytest takes for the test's own
    return judged


@contextlib.contextmanager
def begin(
    request: pytest.FixtureRequest,
    stand: Callable[[], AbstractContextManager[Any]],
    at_once: int = 6,
) -> Iterator[Begun]:
    """Begin the chosen tests of the fixture's module, so many at once, each on its own stand."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = [t for t in tests if t.module is request.module and "begun" in t.fixturenames]

    def run(item: Any) -> None:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        with stand() as own:
            item.function.__wrapped__(own, **given)

    with ThreadPoolExecutor(at_once) as threads:
        yield {item.name: threads.submit(run, item) for item in chosen}
