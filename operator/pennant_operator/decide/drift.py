"""Whether a live object says what we last applied: the fields we set, and only those."""

from typing import Any

from pennant_operator.decide.quantities import quantity


def drifted(applied: Any, live: Any) -> bool:
    """True when a field of `applied` is missing from `live` or has another value there."""
    # The server drops or keeps empty maps and lists as it likes; equal parts need no walk.
    if applied in ({}, []) or applied == live:
        return False
    if isinstance(applied, dict):
        return not isinstance(live, dict) or any(
            drifted(value, live.get(key)) for key, value in applied.items()
        )
    if isinstance(applied, list):
        return not isinstance(live, list) or _list_drifted(applied, live)
    return applied != live and not _same_quantity(applied, live)


def _list_drifted(applied: list[Any], live: list[Any]) -> bool:
    """Lists of named things are maps to the API server: others may have added theirs."""
    if all(isinstance(item, dict) and "name" in item for item in applied):
        by_name = {item.get("name"): item for item in live if isinstance(item, dict)}
        return any(drifted(item, by_name.get(item["name"])) for item in applied)
    return len(applied) != len(live) or any(map(drifted, applied, live))


def _same_quantity(applied: Any, live: Any) -> bool:
    """The server writes 0.5 as 500m and 1 as "1"."""
    left, right = quantity(applied), quantity(live)
    return left is not None and left == right
