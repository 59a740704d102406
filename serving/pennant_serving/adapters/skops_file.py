"""Loading skops files without searching all of scikit-learn, scipy and numpy.

skops trusts scikit-learn's own estimators and the ufuncs of scipy and numpy. To know their names it
imports every module of scikit-learn (0.2 s, 14 MiB) and looks for 400 ufuncs in every module that
is loaded (0.3 s). Here its lists stay empty but for those names of the file that it would have
found: it trusts what it trusts by itself, no more, and where it looks for it. Whatever else happens
then, a refusal too, is forgotten, and skops loads the file by itself, slowly: so it trusts no less.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

from pennant_serving.adapters.lean import forget

ESTIMATORS = "SKLEARN_ESTIMATOR_TYPE_NAMES"
UFUNCS = ("SCIPY_UFUNC_TYPE_NAMES", "NUMPY_UFUNC_TYPE_NAMES")


@dataclass(frozen=True)
class Searched:
    """Where skops would have searched, for objects of which type, and its list of their names."""

    module: ModuleType
    kind: type
    names: list[str]


@dataclass(frozen=True)
class Lists:
    """skops' own lists of what it trusts."""

    estimators: list[str]
    public: tuple[Searched, ...]

    def add(self, named: Iterable[tuple[str, str]]) -> None:
        """Write down those of these names that skops would have found."""
        for module, name in named:
            if is_estimator(module, name):
                self.estimators.append(f"{module}.{name}")
            for searched in self.public:
                if is_public(module, name, searched):
                    searched.names.append(f"{module}.{name}")


_LISTS: list[Lists] = []
"""Of this process: one, or none."""


def load(path: Path, trusted: Iterable[str]) -> Any:
    """What is in the file, whose types are trusted by skops or by these names.

    Raises skops' UntrustedTypesFoundException, which is a TypeError, for any other type.
    """
    trusted_types = list(trusted)
    if (lists := without_search()) is not None:
        try:
            lists.add(named(path))
            return sys.modules["skops.io"].load(path, trusted=trusted_types)
        except Exception:  # noqa: BLE001 - what is wrong with the file, skops itself shall say
            _forget()
    return importlib.import_module("skops.io").load(path, trusted=trusted_types)


def without_search() -> Lists | None:
    """The lists of a skops that has not searched; None for one that has, or that is not as known.

    It is then imported as ever, by whoever needs it.
    """
    if not _LISTS and "skops.io" not in sys.modules:
        try:
            _LISTS.append(_import_without_search())
        except Exception:  # noqa: BLE001 - another release, in which something is not there
            _forget()
    return _LISTS[0] if _LISTS else None


def named(path: Path) -> set[tuple[str, str]]:
    """Module and name of the types and functions that a file names."""
    names: set[tuple[str, str]] = set()

    def note(node: dict[str, Any]) -> None:
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            names.add((module, name))

    with ZipFile(path) as file:
        json.loads(file.read("schema.json"), object_hook=note)
    return names


def is_estimator(module: str, name: str) -> bool:
    """Whether scikit-learn's own search finds this class, as it is exported by its package.

    Imported is the public package alone, which that search imports too: the file is not trusted.
    """
    from sklearn.base import BaseEstimator
    from sklearn.utils.discovery import _MODULE_TO_IGNORE

    public = module.partition("._")[0]
    if name.startswith("_") or not public.startswith("sklearn."):
        return False
    if not _MODULE_TO_IGNORE.isdisjoint(public.split(".")):
        return False
    try:
        exported = getattr(importlib.import_module(public), name, None)
    except ImportError:  # of another release; skops has better words for it
        return False
    return (
        isinstance(exported, type)
        and issubclass(exported, BaseEstimator)
        and exported is not BaseEstimator
        and not getattr(exported, "__abstractmethods__", None)
        and (exported.__module__, exported.__name__) == (module, name)
    )


def is_public(module: str, name: str, searched: Searched) -> bool:
    """Whether skops' own search of a module finds this by this name. Nothing is imported."""
    from skops.io._utils import get_type_name

    public = vars(searched.module).get(name)  # modules may warn of names that are asked for
    root = searched.module.__name__.rpartition(".")[0]
    return (
        isinstance(public, searched.kind)
        and f"{module}.{name}".startswith(root)
        and get_type_name(public) == f"{module}.{name}"
    )


def _import_without_search() -> Lists:
    """Raises whatever comes of a skops, or a scikit-learn, that is not as known."""
    from sklearn import utils

    searched: list[Searched] = []

    def note(module: ModuleType, oftype: type) -> list[str]:
        searched.append(Searched(module, oftype, []))
        return searched[-1].names

    def no_estimators() -> list[Any]:
        # This search comes before those for other names, which are another module's.
        types = vars(sys.modules["skops.io._trusted_types"])
        types["get_public_type_names"], original = note, types["get_public_type_names"]
        restore.append(lambda: types.update(get_public_type_names=original))
        return []

    search = utils.all_estimators
    restore: list[Callable[[], None]] = [lambda: setattr(utils, "all_estimators", search)]
    utils.all_estimators = no_estimators
    try:
        importlib.import_module("skops.io")
    finally:
        for each in restore:
            each()
    return _checked(searched)


def _checked(searched: list[Searched]) -> Lists:
    """That the lists are empty, and are the very ones that skops goes by."""
    types, used = (vars(sys.modules[f"skops.io.{name}"]) for name in ("_trusted_types", "_general"))
    expected = [types[ESTIMATORS], *(each.names for each in searched)]
    used_lists = [used[name] for name in (ESTIMATORS, *UFUNCS)]
    if len(used_lists) != len(expected) or any(expected):
        raise LookupError("skops searches for more, or for less, than is known")
    if any(ours is not theirs for ours, theirs in zip(expected, used_lists, strict=True)):
        raise LookupError("skops goes by other lists than are known")
    return Lists(types[ESTIMATORS], tuple(searched))


def _forget() -> None:
    _LISTS.clear()
    forget("skops")
