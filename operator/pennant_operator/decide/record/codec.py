"""What `plan` is given and what it decides as JSON, and back to the very same values.

JSON's own values stand for themselves. Any other is an object with the one key `$`, whose value is
a pair: what it is (the name of a dataclass or of an enumeration, tuple, frozenset, datetime), and
what it is made from. An object that has that key itself is written as its pairs.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, get_args, get_type_hints

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.seen.observed import Observed

MARK = "$"
_PLAIN = (str, int, float, bool, type(None))


class UnknownValueError(ValueError):
    """What was written by another version, or by nobody; says what is not known of it."""


def encode(value: Any) -> Any:
    """As plain data for JSON; raises TypeError for what no input of `plan` holds."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [encode(each) for each in value]
    if not isinstance(value, Mapping):
        return _encode_other(value, kind)
    if MARK in value:
        return {MARK: ["dict", [[name, encode(each)] for name, each in value.items()]]}
    return {name: encode(each) for name, each in value.items()}


def _encode_other(value: Any, kind: type) -> Any:
    if kind is tuple:
        return {MARK: ["tuple", [encode(each) for each in value]]}
    if kind is frozenset:
        return {MARK: ["frozenset", [encode(each) for each in sorted(value)]]}
    if kind is datetime:
        return {MARK: ["datetime", value.isoformat()]}
    if kind.__name__ not in classes():
        if isinstance(value, str):
            return str(value)  # a word of the vocabulary, where any text may stand
        raise TypeError(kind.__name__)
    if isinstance(value, Enum):
        return {MARK: [kind.__name__, value.value]}
    fields = {each.name: encode(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return {MARK: [kind.__name__, fields]}


def decode(obj: dict[str, Any]) -> Any:
    """For `json.loads` as its object_hook; raises UnknownValueError."""
    if MARK not in obj:
        return obj
    try:
        name, made_from = obj[MARK]
        make = _makers().get(name)
        if make is None:
            raise UnknownValueError(f"this version knows no {name!r}")
        return make(made_from)
    except (TypeError, ValueError) as error:
        raise UnknownValueError(str(error)) from error


@functools.cache
def classes() -> dict[str, type]:
    """By their names: the dataclasses and enumerations that an input or a plan is made of."""
    known: dict[str, type] = {}
    for root in (Observed, Plan):
        _collect(root, known)
    return known


def _collect(hint: Any, known: dict[str, type]) -> None:
    for part in get_args(hint):
        _collect(part, known)
    if not isinstance(hint, type) or known.get(hint.__name__) is hint:
        return
    if dataclasses.is_dataclass(hint) or issubclass(hint, Enum):
        assert hint.__name__ not in known, hint.__name__  # two of one name
        known[hint.__name__] = hint
        for part in get_type_hints(hint).values() if dataclasses.is_dataclass(hint) else ():
            _collect(part, known)


@functools.cache
def _makers() -> dict[str, Callable[[Any], Any]]:
    own: dict[str, Callable[[Any], Any]] = {
        "dict": dict,
        "tuple": tuple,
        "frozenset": frozenset,
        "datetime": datetime.fromisoformat,
    }
    return own | {name: _maker(known) for name, known in classes().items()}


def _maker(known: type) -> Callable[[Any], Any]:
    if issubclass(known, Enum):
        return known
    return lambda fields: known(**fields)
