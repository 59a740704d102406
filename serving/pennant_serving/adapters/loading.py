"""Which adapter a bundle needs, and its loading, with errors that say what to do."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from pennant_serving.adapters import flavors
from pennant_serving.adapters.base import Adapter
from pennant_serving.adapters.flavors import NotNative
from pennant_serving.adapters.names import AUTO, BUILT_IN, SHARED
from pennant_serving.adapters.shared import NotShared
from pennant_serving.adapters.trouble import explain, lacking
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.failures import PodError, Reason


@dataclass(frozen=True)
class Choice:
    """The adapter for a bundle."""

    name: str
    because: str
    """Why this one, in a few words."""
    adapter: Adapter | None = None
    """None before it is loaded, and when each worker must load its own."""

    def __str__(self) -> str:
        return f"adapter {self.name}: {self.because}"


def choose(asked: str, bundle: Bundle) -> Choice:
    """The adapter that was asked for, `auto` resolved by the bundle. Raises PodError."""
    if asked != AUTO:
        return Choice(asked, "serving.adapter says so")
    if bundle.mlmodel is None:
        raise PodError(
            Reason.LOAD_FAILED,
            "the bundle has no MLmodel file, so there is no telling how to load it: set"
            " serving.adapter to the module:Class that can",
        )
    native, because = flavors.native(bundle.mlmodel)
    return Choice(native or "pyfunc", because)


def load(asked: str, bundle: Bundle, threads: int = 1, *, shared: bool = False) -> Choice:
    """The adapter that was asked for, loaded; `auto` goes on to MLflow's way where its choice
    cannot take the bundle. Raises PodError.

    With `shared`, what processes that are forked afterwards cannot share is not loaded.
    """
    choice = choose(asked, bundle)
    name, because = choice.name, choice.because
    if shared and not survives_fork(name):
        return choice
    try:
        return Choice(name, because, _load(name, bundle, threads, shared=shared))
    except NotShared:
        return choice
    except NotNative as refused:
        has_other = bundle.mlmodel and "python_function" in bundle.mlmodel.flavors
        if asked != AUTO or not has_other:
            raise PodError(Reason.LOAD_FAILED, explain(name, bundle, refused)) from refused
        because = refused.reason
    return Choice("pyfunc", because, None if shared else _load("pyfunc", bundle, threads))


def _load(name: str, bundle: Bundle, threads: int, *, shared: bool = False) -> Adapter:
    """Raises PodError; NotShared and NotNative as adapters do.

    A `load` that takes `threads` is told how many a prediction may use.
    """
    if name in BUILT_IN and bundle.mlmodel is not None:
        library = flavors.needed_library(bundle.mlmodel)
        if library is not None and find_spec(library) is None:
            raise PodError(Reason.LOAD_FAILED, lacking(library, bundle))
    try:
        adapter_class = class_of(name)
        options: dict[str, Any] = {"threads": threads, "shared": shared}
        taken = inspect.signature(adapter_class.load).parameters
        known = ("threads", "shared") if name in BUILT_IN else ("threads",)
        return adapter_class.load(
            bundle.path, **{each: options[each] for each in known if each in taken}
        )
    except (NotShared, NotNative):
        raise
    except Exception as error:
        raise PodError(Reason.LOAD_FAILED, explain(name, bundle, error)) from error


def survives_fork(name: str) -> bool:
    """Whether what this adapter loads may be used in a process that was forked afterwards.

    Only a class that says so does, and its module is imported only when it holds the word: what a
    module makes when it is imported may not survive either. One that cannot be imported does not:
    `load` will say why it cannot.
    """
    if name in BUILT_IN:
        return name in SHARED
    try:
        return _mentions(name.partition(":")[0], "survives_fork") and getattr(
            class_of(name), "survives_fork", False
        )
    except Exception:  # noqa: BLE001 - whatever an adapter's module raises
        return False


def _mentions(module: str, word: str) -> bool:
    """Whether a module's source holds a word. Imports nothing but the packages around it."""
    spec = find_spec(module)
    return bool(spec and spec.origin and word.encode() in Path(spec.origin).read_bytes())


def class_of(name: str) -> type[Adapter]:
    """The adapter's class. Raises what its import raises."""
    module, _, class_name = BUILT_IN.get(name, name).partition(":")
    return cast("type[Adapter]", getattr(importlib.import_module(module), class_name))
