"""Reads the text of an MLmodel file, whoever wrote it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pennant_registry.gates.facts import BundleFacts, bundle_facts

MLMODEL = "MLmodel"
MLMODEL_LIMIT_BYTES = 2**20
DEPTH_LIMIT = 64
_NULL = ("", "~", "null", "Null", "NULL")
TOO_LONG = f"its MLmodel file is longer than {MLMODEL_LIMIT_BYTES // 2**20} MiB"


def read_mlmodel(text: str) -> BundleFacts:
    """What it says; of 1 MiB that takes a second. Raises ValueError where it cannot be read."""
    parsed = _yaml(text)
    if not isinstance(parsed, dict):
        raise ValueError("its MLmodel file is no mapping")  # noqa: TRY004 - of a text
    signature = _value(parsed.get("signature"))
    if isinstance(signature, dict):
        signature = {part: _value(each) for part, each in signature.items()}
    try:
        return bundle_facts(parsed | {"signature": signature})
    except (TypeError, RecursionError) as error:
        raise ValueError(f"its MLmodel file has another shape: {error!r:.100}") from error


def _yaml(text: str) -> Any:
    """Scalars stay texts: gates ask of none what YAML would make of it, and that is not free."""
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        _check_depth(yaml.parse(text, Loader=loader))
        return yaml.load(text, Loader=loader)  # noqa: S506 - it makes texts, lists and mappings
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"its MLmodel file is no YAML: {' '.join(str(error).split())}") from error


def _check_depth(events: Iterable[Any]) -> None:
    """Before it is loaded: nesting without end ends the whole process, in C."""
    import yaml

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise ValueError(f"its MLmodel file is nested deeper than {DEPTH_LIMIT} levels")


def _value(value: Any) -> Any:
    return None if value in _NULL else value
