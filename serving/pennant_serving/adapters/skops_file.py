"""Loading skops files without importing all of scikit-learn.

skops trusts scikit-learn's own estimators, and to know their names it imports every module of it:
0.2 s and 14 MiB. Here those that a file names are looked up, and told to skops as trusted.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import ZipFile


def load(path: Path, trusted: Iterable[str]) -> Any:
    """What is in the file, whose types are trusted by skops or by these names.

    Raises skops' UntrustedTypesFoundException, which is a TypeError, for any other type.
    """
    return _skops_io().load(path, trusted=[*trusted, *estimators(path)])


def estimators(path: Path) -> list[str]:
    """The names of scikit-learn's estimators that a file holds."""
    types: set[tuple[str, str]] = set()

    def note(node: dict[str, Any]) -> None:
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            types.add((module, name))

    with ZipFile(path) as file:
        json.loads(file.read("schema.json"), object_hook=note)
    return [f"{module}.{name}" for module, name in types if is_estimator(module, name)]


def is_estimator(module: str, name: str) -> bool:
    """Whether this is an estimator of scikit-learn. Nobody else's modules are imported."""
    from sklearn.base import BaseEstimator

    if not module.startswith("sklearn."):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:  # of another release; skops has better words for it
        return False
    return isinstance(found, type) and issubclass(found, BaseEstimator)


def _skops_io() -> Any:
    if "skops.io" not in sys.modules:
        from sklearn import utils

        search, utils.all_estimators = utils.all_estimators, list
        try:
            importlib.import_module("skops.io")
        finally:
            utils.all_estimators = search
    return sys.modules["skops.io"]
