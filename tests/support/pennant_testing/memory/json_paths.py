"""Any part of a JSON value, and the value with that part gone or another one in its place."""

import copy
from collections.abc import Iterator
from typing import Any


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield (*at, key)
        if isinstance(part, dict | list):
            yield from places(part, (*at, key))


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which nothing is there."""
    made = copy.deepcopy(value)
    within = made
    for key in path[:-1]:
        within = within[key]
    del within[path[-1]]
    return made


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy in which this is there."""
    made = copy.deepcopy(value)
    within = made
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = new
    return made
