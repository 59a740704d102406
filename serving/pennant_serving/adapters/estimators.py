"""Estimators of the scikit-learn kind: loading them, and what a classifier knows."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pennant_serving.adapters.base import Further
from pennant_serving.adapters.lean import deferred, without
from pennant_serving.adapters.shared import check, loads
from pennant_serving.codecs import datatypes
from pennant_serving.rows import Prepared, Rows

SCIPY_STATS = (
    "sklearn.utils.fixes",
    "sklearn.preprocessing",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn._loss",
    "sklearn.covariance",
    "sklearn.isotonic",
)
"""Where scikit-learn imports it, of what nearly every estimator needs."""
PROBABILITIES = ("predict_proba", "predict_log_proba")
Ask = Callable[[Callable[[Any], Any], Rows | Prepared], Any]
"""Ask a method of a model for some rows."""


def load_estimator(path: Path, flavor: dict[str, Any], *, shared: bool = False) -> Any:
    """The estimator in a file, by the format that the flavor says. Raises what unpickling does,
    and NotShared when it is to be shared by processes that are forked later, and must not."""
    import_sklearn()
    if flavor.get("serialization_format") == "skops":
        from pennant_serving.adapters import skops_file

        if shared:
            for module, name in skops_file.named(path):
                check(module, name)
        return skops_file.load(path, flavor.get("skops_trusted_types") or [])
    if shared:
        return loads(path.read_bytes())
    import pickle

    # cloudpickle's files are pickles; that library must only be importable. The bytes were verified
    # by fetch, and running what was registered is what serving is.
    return pickle.loads(path.read_bytes())  # noqa: S301


def import_sklearn() -> None:
    """scikit-learn without pandas and scipy.stats: each takes as long to import as the rest of it.

    sklearn.utils.fixes imports pandas where it is installed, only to never use it; what handles
    frames imports it when it is given one. Of scipy.stats few estimators use a function or two.
    A release with which that does not work is imported as ever. Raises ImportError.
    """
    if "sklearn" in sys.modules:
        return
    try:
        with without("pandas"), deferred("scipy.stats"):
            for module in SCIPY_STATS:
                importlib.import_module(module)
    except Exception:  # noqa: BLE001 - whatever it was, it may be there when nothing is hidden
        importlib.import_module("sklearn")


def takes_texts(estimator: Any) -> bool:
    """Whether it takes a list of texts, as vectorizers do, and no table with a column of them."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[0][1]
    tags = getattr(estimator, "__sklearn_tags__", None)
    return tags is not None and tags().input_tags.string and not tags().input_tags.two_d_array


def no_text(data: Any) -> str | None:
    """The type of the first value that is no text; None when there is none of them."""
    values = data.tolist() if hasattr(data, "tolist") else data
    kinds = (type(each) for each in values) if isinstance(values, (list, tuple)) else ()
    return next((each.__name__ for each in kinds if not issubclass(each, (str, bytes))), None)


def further(estimator: Any, ask: Ask) -> dict[str, Further]:
    """What a classifier knows beside its predictions."""
    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray):
        return {}
    width = len(classes)
    outputs = {"classes": Further(lambda _: classes, datatypes.of_dtype(classes.dtype), (width,))}
    for name in PROBABILITIES:
        if (method := getattr(estimator, name, None)) is not None:
            outputs[name] = Further(partial(_probabilities, ask, method), "FP64", (-1, width))
    return outputs


def _probabilities(ask: Ask, method: Callable[[Any], Any], rows: Rows | Prepared) -> Any:
    """As exact as the metadata says, whatever the model counts in."""
    answer = ask(method, rows)
    return answer.astype("float64") if isinstance(answer, np.ndarray) else answer
