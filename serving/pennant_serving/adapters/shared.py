"""Unpickling what processes that are forked afterwards may share: nothing but libraries' own."""

from __future__ import annotations

import io
import pickle
from typing import Any

LIBRARIES = frozenset(
    {
        *("sklearn", "numpy", "scipy", "xgboost", "lightgbm", "joblib", "pandas"),
        *("builtins", "collections", "functools", "copyreg", "_codecs", "operator", "datetime"),
        *("re", "decimal", "fractions"),
    }
)
"""They know of forks, or start nothing when they are imported."""


class NotShared(Exception):  # noqa: N818
    """The model holds something else: threads, locks or connections of it would be lost in a fork,
    even those that its module makes when it is imported."""


def loads(data: bytes) -> Any:
    """What was pickled. Raises NotShared before anything else is imported, and what unpickling
    raises."""
    return _Unpickler(io.BytesIO(data)).load()


def check(module: str, name: str) -> None:
    """Raises NotShared for a class or function of other modules than the libraries'."""
    if module.partition(".")[0] not in LIBRARIES:
        raise NotShared(f"{module}.{name} is no library's own")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        check(module, name)
        return super().find_class(module, name)
