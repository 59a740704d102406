"""Imports without what a library imports and this process does not use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


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


def imported(library: str, *packages: str) -> Any:
    """A library, imported without these packages, or with them where it needs them after all.

    Raises what importing it with all that is installed raises.
    """
    try:
        with without(*packages):
            return importlib.import_module(library)
    except Exception:  # noqa: BLE001 - whatever it was, it may be there when nothing is hidden
        forget(library)
        return importlib.import_module(library)


def forget(library: str) -> None:
    """Of a library in plain Python: who imports it next imports it anew."""
    for name in [each for each in sys.modules if each.partition(".")[0] == library]:
        del sys.modules[name]


@contextmanager
def deferred(name: str) -> Iterator[None]:
    """Modules that are imported inside get a stand-in for a module: it and what they take from it
    by name import the real one when they are used. Everybody else imports the real one."""
    stand_in = _StandIn(name)
    is_new = sys.modules.setdefault(name, stand_in) is stand_in
    try:
        yield
    finally:
        if is_new and sys.modules.get(name) is stand_in:
            del sys.modules[name]


class _StandIn(ModuleType):
    """In the place of a module that may never be used."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return _Later(self.__name__, attribute)


class _Later:
    """In the place of a module's function or object: it can be called, has attributes, and may be
    what others are instances, subclasses or equals of. Only `is` tells it from the real one."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real(), attribute)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def __eq__(self, other: object) -> bool:
        return bool(self._real() == (other._real() if isinstance(other, _Later) else other))

    def __hash__(self) -> int:
        return hash(self._real())

    def _real(self) -> Any:
        if isinstance(sys.modules.get(self._module), _StandIn):  # used while it is deferred
            del sys.modules[self._module]
        return getattr(importlib.import_module(self._module), self._name)
