"""What is known of an estimator: is it all scikit-learn's own, and row by row? Pure.

Requests may be predicted together, in the event loop, and from arrays, only where no code of
somebody's own has a say. So the whole graph of objects is walked, and one that is not known makes
the model unknown.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pennant_serving.adapters.mixing import why_mixing
from pennant_serving.adapters.plain import attributes, is_plain, items

BOOSTERS = ("xgboost", "lightgbm")
"""Their models answer each row by itself."""
OTHERS = ("scipy.interpolate.", "scipy.sparse.", "joblib.memory.")
"""What estimators hold of other libraries, and ask row by row or not at all."""
LOOKED_INTO = ("sklearn", "scipy", *BOOSTERS)
"""Not joblib's memories, which are used in training only."""
TRAINING = frozenset(
    {
        "score_func",
        "scoring",
        "scorer_",
        "_score_func",
        "fun",
        "importance_getter",
        "_kmeans_single",
    }
)
"""Attributes whose functions of scikit-learn are used in training only."""
TRIED = frozenset({"param_grid", "param_distributions", "cv_results_", "best_params_"})
"""What a search has tried, and does not ask; the best one is beside it."""


@dataclass(frozen=True)
class Survey:
    """What a walk through an estimator has found."""

    stranger: str
    """The first thing that is not known, in a few words; empty when there is none."""
    estimators: tuple[Any, ...]
    """The estimator, and those inside; of an unknown one not all."""

    def why_not_rows(self, method: str) -> str:
        """Why the answers of a method may depend on other rows; empty when they do not."""
        if self.stranger:
            return f"{self.stranger} is not scikit-learn's own"
        return why_mixing(self.estimators, method)


def survey(root: Any) -> Survey:
    """Walk through all that an object holds, without recursion."""
    seen: dict[tuple[int, str], Any] = {}  # objects stay alive meanwhile: no two have one id
    estimators: list[Any] = []
    waiting: list[tuple[Any, Any, str]] = [(root, None, "")]
    while waiting:
        value, holder, attribute = waiting.pop()
        if is_plain(value) or (id(value), attribute) in seen:
            continue
        seen[id(value), attribute] = value
        if (inside := items(value)) is not None:
            waiting += ((each, holder, attribute) for each in inside)
            continue
        if problem := _stranger(value, holder, attribute):
            return Survey(problem, tuple(estimators))
        if _is_estimator(value):
            estimators.append(value)
        waiting += ((each, value, name) for name, each in _members(value).items())
    return Survey("", tuple(estimators))


def is_own(kind: type, *libraries: str) -> bool:
    """Whether a class is what one of these libraries has under its name: a class that cloudpickle
    carries, or that says so only, is not."""
    module = getattr(kind, "__module__", None)
    if not isinstance(module, str) or module.partition(".")[0] not in libraries:
        return False
    named: Any = sys.modules.get(module)
    for name in kind.__qualname__.split("."):
        named = getattr(named, name, None)
    return named is kind


def _stranger(value: Any, holder: Any, attribute: str) -> str:
    """What of a value is not known; empty when all of it is."""
    kind = type(value)
    if is_own(kind, "sklearn", *BOOSTERS) or _is_of_others(kind):
        replaced = [name for name in attributes(value) if callable(getattr(kind, name, None))]
        return f"{kind.__name__}.{replaced[0]}, which was replaced," if replaced else ""
    if isinstance(value, np.ufunc):
        known = _is_elementwise(value) and not _has_arguments(holder)
    elif isinstance(value, partial):
        known = _is_check(value)
    elif isinstance(value, type):
        known = is_own(value, "builtins", "collections", "sklearn", "numpy")
    elif isinstance(value, ctypes.c_void_p):  # a booster's handle
        known = is_own(type(holder), *BOOSTERS)
    else:
        known = callable(value) and _is_harmless(value, holder, attribute)
    return "" if known else _shown(value, holder)


def _is_elementwise(function: np.ufunc) -> bool:
    """One of NumPy's or SciPy's functions of one number."""
    special = sys.modules.get("scipy.special")
    is_public = any(getattr(each, function.__name__, None) is function for each in (np, special))
    return is_public and function.nin == 1 and function.nout == 1 and function.signature is None


def _has_arguments(holder: Any) -> bool:
    """Masks, for example, which have a value for each row."""
    return bool(getattr(holder, "kw_args", None) or getattr(holder, "inv_kw_args", None))


def _is_check(value: partial[Any]) -> bool:
    """What histogram gradient boosting puts before its numbers."""
    validation = sys.modules.get("sklearn.utils.validation")
    return value.func is getattr(validation, "check_array", None)


def _is_harmless(function: Any, holder: Any, attribute: str) -> bool:
    kind = type(holder)
    if not is_own(kind, "sklearn"):  # what the others make of their own functions is theirs
        return is_own(function, kind.__module__.partition(".")[0])
    if attribute == "pooling_func":  # of feature agglomeration: over the columns of each row
        return any(function is each for each in (np.mean, np.median, np.max, np.min, np.sum))
    return attribute in TRAINING and is_own(function, "sklearn")


def _is_of_others(kind: type) -> bool:
    name = f"{kind.__module__}."
    return name.startswith(OTHERS) and is_own(kind, "scipy", "joblib")


def _is_estimator(value: Any) -> bool:
    base = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", ())
    return isinstance(value, base)


def _members(value: Any) -> Mapping[str, Any]:
    """What an object holds, by name; nothing of what is not looked into."""
    kind = type(value)
    if isinstance(value, partial):
        return {**value.keywords, **{str(place): each for place, each in enumerate(value.args)}}
    if not is_own(kind, *LOOKED_INTO):
        return {}
    slots = [name for each in kind.__mro__ for name in _slots(each)]
    members = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    if isinstance(value, dict):  # scikit-learn's Bunch
        members |= {str(key): each for key, each in value.items()}
    members |= attributes(value)
    if kind.__name__.endswith("SearchCV"):
        return {name: each for name, each in members.items() if name not in TRIED}
    return members


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _shown(value: Any, holder: Any) -> str:
    """What is not known, as a person would look for it."""
    subject: Any = value.func if isinstance(value, partial) else value
    if not hasattr(subject, "__name__"):
        subject = type(subject)
    name = getattr(subject, "__qualname__", subject.__name__)
    module = getattr(subject, "__module__", None)
    shown = f"{module}.{name}" if module else str(name)
    return shown if holder is None else f"{shown}, which a {type(holder).__name__} holds,"
