"""Loading skops files without searching all of scikit-learn, scipy and numpy.

skops trusts scikit-learn's own estimators and the ufuncs of scipy and numpy. To know their names it
imports every module of scikit-learn (0.2 s, 14 MiB) and looks for 400 ufuncs in every module that
is loaded (0.3 s). Here those that a file names are looked up, and told to skops as trusted.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

_SEARCHED: list[tuple[ModuleType, type]] = []
"""Where skops would have searched, and for objects of which type."""


def load(path: Path, trusted: Iterable[str]) -> Any:
    """What is in the file, whose types are trusted by skops or by these names.

    Raises skops' UntrustedTypesFoundException, which is a TypeError, for any other type.
    """
    skops_io = _skops_io()
    found = [
        f"{module}.{name}"
        for module, name in named(path)
        if is_estimator(module, name) or is_public(module, name)
    ]
    return skops_io.load(path, trusted=[*trusted, *found])


def named(path: Path) -> set[tuple[str, str]]:
    """Module and name of the types and functions that a file names."""
    found: set[tuple[str, str]] = set()

    def note(node: dict[str, Any]) -> None:
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            found.add((module, name))

    with ZipFile(path) as file:
        json.loads(file.read("schema.json"), object_hook=note)
    return found


def is_estimator(module: str, name: str) -> bool:
    """Whether this is an estimator of scikit-learn."""
    from sklearn.base import BaseEstimator

    if not module.startswith("sklearn."):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:  # of another release; skops has better words for it
        return False
    return isinstance(found, type) and issubclass(found, BaseEstimator)


def is_public(module: str, name: str) -> bool:
    """Whether this is what is public by its name where skops would have searched.

    Nothing is imported: a name's own module was, with the one that makes it public.
    """
    found = getattr(sys.modules.get(module), name, None)
    return any(
        isinstance(found, kind) and found is getattr(searched, name, None)
        for searched, kind in _SEARCHED
    )


def _skops_io() -> Any:
    if "skops.io" not in sys.modules:
        from sklearn import utils

        search, utils.all_estimators = utils.all_estimators, _no_search
        try:
            importlib.import_module("skops.io")
        finally:
            utils.all_estimators = search
    return sys.modules["skops.io"]


def _no_search() -> list[Any]:
    """In place of the search for estimators, which comes before those for other names."""
    vars(sys.modules["skops.io._trusted_types"])["get_public_type_names"] = _note
    return []


def _note(module: ModuleType, oftype: type) -> list[str]:
    _SEARCHED.append((module, oftype))
    return []
