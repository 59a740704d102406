"""Values that hold no code: numbers, texts, arrays of them, and containers. Pure."""

from __future__ import annotations

import datetime
import decimal
import fractions
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np

ATOMS = frozenset(
    {
        *(type(None), bool, int, float, complex, str, bytes, bytearray, slice, range),
        *(type(Ellipsis), type(NotImplemented), re.Pattern, decimal.Decimal, fractions.Fraction),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
        *(np.random.RandomState, np.random.Generator),
    }
)
ARRAYS = frozenset({np.ndarray, np.matrix, np.memmap, np.ma.MaskedArray})
LISTS = frozenset({list, tuple, set, frozenset, deque})
DICTS = frozenset({dict, OrderedDict, defaultdict, Counter})
PANDAS = frozenset({"NAType", "NaTType", "Timestamp", "Timedelta", "Index", "RangeIndex"})


def is_plain(value: Any) -> bool:
    """Whether a value is data, and holds nothing else."""
    kind = type(value)
    if kind in ATOMS:
        return True
    if kind in ARRAYS:
        return not value.dtype.hasobject
    if str(kind.__module__).partition(".")[0] == "pandas":
        named = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
        return kind.__name__ in PANDAS and named is kind
    if isinstance(value, np.generic):
        return getattr(np, kind.__name__, None) is kind and kind is not np.void
    return isinstance(value, np.dtype)


def items(value: Any) -> Iterable[Any] | None:
    """What is not plain in a container; None for what is no container."""
    kind = type(value)
    inside: Iterable[Any]
    if kind in LISTS:
        inside = value
    elif kind in DICTS:
        factory = (value.default_factory,) if kind is defaultdict else ()
        inside = chain(value.keys(), value.values(), factory)
    elif kind in ARRAYS:
        inside = np.ma.getdata(value).ravel().tolist()
    else:
        return None
    return [each for each in inside if type(each) not in ATOMS]


def attributes(value: Any) -> Mapping[str, Any]:
    """An object's own attributes, by name; none of one that has no dict of them."""
    own: Mapping[str, Any] = getattr(value, "__dict__", {})
    return own
