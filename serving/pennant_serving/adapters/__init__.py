"""Adapters: which one a bundle needs, and the loading with errors that say what to do."""

from __future__ import annotations

import importlib
from typing import cast

from pennant_serving.adapters.base import Adapter
from pennant_serving.adapters.trouble import explain
from pennant_serving.bundle import Bundle
from pennant_serving.failures import PodError, Reason

BUILT_IN = {
    "pyfunc": "pennant_serving.adapters.pyfunc:PyfuncAdapter",
    "sklearn": "pennant_serving.adapters.native_sklearn:SklearnAdapter",
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
    return "sklearn" if "sklearn" in bundle.mlmodel.flavors else "pyfunc"


def load(name: str, bundle: Bundle) -> Adapter:
    """Import the adapter and let it load the bundle. Raises PodError."""
    module, _, class_name = BUILT_IN.get(name, name).partition(":")
    try:
        adapter_class = cast("type[Adapter]", getattr(importlib.import_module(module), class_name))
        return adapter_class.load(bundle.path)
    except Exception as error:
        raise PodError(Reason.LOAD_FAILED, explain(name, bundle, error)) from error
