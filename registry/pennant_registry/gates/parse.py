"""Reads gates as they are written in YAML, or as a mapping in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pennant_registry.durations import parse_duration
from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import windows
from pennant_registry.gates.form import Change, Closed, Gates, MetricGate, TagGate

_DECIMAL = re.compile(r"-?[0-9]{1,15}([.][0-9]{1,15})?")
_CHANGE = re.compile(r"[0-9]{1,15}([.][0-9]{1,15})?%?")
BOUNDS = ("min", "max", "maxDrop", "maxRise")
SIGNATURES = ("Compatible", "Any")


def parse(spec: Mapping[str, Any], where: str = "gates") -> Gates:
    """The gates of a mapping with the keys metrics, tags, flavors, signature and closed.

    Raises InvalidGateError, which names the field (below `where`), its value and what to write.
    """
    _known(spec, where, "metrics", "tags", "flavors", "signature", "closed")
    signature = spec.get("signature", "Any")
    if signature not in SIGNATURES:
        raise _bad(f"{where}.signature", signature, "write Compatible or Any")
    return Gates(
        metrics=tuple(_metric(each, path) for path, each in _items(spec, where, "metrics")),
        tags=tuple(_tag(each, path) for path, each in _items(spec, where, "tags")),
        flavors=tuple(_text(each, path) for path, each in _items(spec, where, "flavors")),
        compatible=signature == "Compatible",
        closed=tuple(_closed(each, path) for path, each in _items(spec, where, "closed")),
    )


def _items(spec: Mapping[str, Any], where: str, name: str) -> list[tuple[str, Any]]:
    items = spec.get(name) or ()
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise _bad(f"{where}.{name}", items, "write a list")
    return [(f"{where}.{name}[{at}]", each) for at, each in enumerate(items)]


def _metric(each: Any, where: str) -> MetricGate:
    values = _known(each, where, "name", *BOUNDS)
    if all(values.get(bound) is None for bound in BOUNDS):
        raise _bad(where, each, "give it min, max, maxDrop or maxRise")
    return MetricGate(
        _text(values.get("name"), f"{where}.name"),
        min=_decimal(values, where, "min"),
        max=_decimal(values, where, "max"),
        max_drop=_change(values, where, "maxDrop"),
        max_rise=_change(values, where, "maxRise"),
    )


def _tag(each: Any, where: str) -> TagGate:
    values = _known(each, where, "key", "value")
    value = values.get("value")
    if value is not None and not isinstance(value, str):
        raise _bad(f"{where}.value", value, "write it in quotes")
    return TagGate(_text(values.get("key"), f"{where}.key"), value or None)


def _closed(each: Any, where: str) -> Closed:
    values = _known(each, where, "cron", "for", "timeZone")
    cron = _text(values.get("cron"), f"{where}.cron")
    try:
        windows.check(cron)
    except ImportError as error:
        raise InvalidGateError(f"{where}.cron needs the package cronsim: install it") from error
    except ValueError as error:
        raise _bad(
            f"{where}.cron", cron, f"write five fields, such as '0 18 * * 5' ({error})"
        ) from error
    try:
        duration = parse_duration(_text(values.get("for"), f"{where}.for"))
    except ValueError as error:
        raise InvalidGateError(f"{where}.for: {error}") from error
    zone = values.get("timeZone", "UTC")
    try:
        ZoneInfo(_text(zone, f"{where}.timeZone"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _bad(
            f"{where}.timeZone", zone, "write an IANA name, such as Europe/Berlin"
        ) from error
    return Closed(cron, duration, zone)


def _known(each: Any, where: str, *keys: str) -> Mapping[str, Any]:
    if not isinstance(each, Mapping):
        raise _bad(where, each, f"write a mapping with {', '.join(keys)}")
    if other := sorted(map(str, each.keys() - set(keys))):
        raise _bad(where, ", ".join(other), f"its keys are {', '.join(keys)}")
    return each


def _decimal(values: Mapping[str, Any], where: str, key: str) -> Decimal | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise _bad(f"{where}.{key}", value, "write a decimal in quotes, such as '0.30'")
    return Decimal(value)


def _change(values: Mapping[str, Any], where: str, key: str) -> Change | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not _CHANGE.fullmatch(value):
        raise _bad(f"{where}.{key}", value, "write an amount or a share in quotes: '0.01' or '2%'")
    if value.endswith("%"):
        return Change(Decimal(value[:-1]) / 100, relative=True)
    return Change(Decimal(value))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _bad(where, value, "write a text that is not empty")
    return value


def _bad(where: str, value: Any, cure: str) -> InvalidGateError:
    return InvalidGateError(f"{where} is {value!r:.100}: {cure}")
