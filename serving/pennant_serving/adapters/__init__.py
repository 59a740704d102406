"""Adapters: which one a bundle needs, and the loading with errors that say what to do."""

from __future__ import annotations

import importlib
import inspect
from importlib.util import find_spec
from typing import cast

from pennant_serving.adapters import flavors
from pennant_serving.adapters.base import Adapter
from pennant_serving.adapters.trouble import explain, lacking
from pennant_serving.bundle import Bundle
from pennant_serving.failures import PodError, Reason

BUILT_IN = {
    "pyfunc": "pennant_serving.adapters.pyfunc:PyfuncAdapter",
    "sklearn": "pennant_serving.adapters.native_sklearn:SklearnAdapter",
    "xgboost": "pennant_serving.adapters.native_xgboost:XGBoostAdapter",
    "lightgbm": "pennant_serving.adapters.native_lightgbm:LightGBMAdapter",
    "onnx": "pennant_serving.adapters.native_onnx:OnnxAdapter",
}


def choose(name: str, bundle: Bundle) -> str:
    """The adapter's name, `auto` resolved by the bundle. Raises PodError."""
    if name != "auto":
        return name
    if bundle.mlmodel is None:
        raise PodError(
            Reason.LOAD_FAILED,
            "the bundle has no MLmodel file, so there is no telling how to load it: set"
            " serving.adapter to the module:Class that can",
        )
    return flavors.native(bundle.mlmodel) or "pyfunc"


def load(name: str, bundle: Bundle, threads: int = 1) -> Adapter:
    """Import the adapter and let it load the bundle. Raises PodError.

    A `load` that takes `threads` is told how many a prediction may use.
    """
    if name in BUILT_IN and bundle.mlmodel is not None:
        library = flavors.needed_library(bundle.mlmodel)
        if library is not None and find_spec(library) is None:
            raise PodError(Reason.LOAD_FAILED, lacking(library, bundle))
    try:
        adapter_class = find(name)
        more = {"threads": threads} if _takes_threads(adapter_class) else {}
        return adapter_class.load(bundle.path, **more)
    except Exception as error:
        raise PodError(Reason.LOAD_FAILED, explain(name, bundle, error)) from error


def survives_fork(name: str) -> bool:
    """Whether what this adapter loads may be used in a process that was forked afterwards.

    One that cannot be imported does; `load` will say why it cannot.
    """
    try:
        return getattr(find(name), "survives_fork", True)
    except Exception:  # noqa: BLE001 - whatever an adapter's module raises
        return True


def find(name: str) -> type[Adapter]:
    """The class of this name. Raises what its import raises."""
    module, _, class_name = BUILT_IN.get(name, name).partition(":")
    return cast("type[Adapter]", getattr(importlib.import_module(module), class_name))


def _takes_threads(adapter_class: type[Adapter]) -> bool:
    return "threads" in inspect.signature(adapter_class.load).parameters
