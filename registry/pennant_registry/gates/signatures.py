"""Whether a version takes whatever another one takes, by their signatures.

The signature's form is MLflow's: a field is a column (`type`, `name`, `required`) or a tensor
(`tensor-spec` with `dtype` and `shape`, -1 for any length); params have defaults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Field = Mapping[str, Any]


def incompatible(new: Mapping[str, Any] | None, old: Mapping[str, Any] | None) -> list[str]:
    """What `new` does not take that `old` takes, one part of a sentence each; empty: nothing."""
    if not old or old.get("inputs") is None:
        return []
    if not new or new.get("inputs") is None:
        return ["it has no signature, and theirs has one"]
    old_inputs, new_inputs = old["inputs"], new["inputs"]
    return [*_inputs(new_inputs, old_inputs), *_params(new.get("params"), old.get("params"))]


def _inputs(new: Sequence[Field], old: Sequence[Field]) -> list[str]:
    if any(_name(field) is None for field in (*new, *old)):
        return _by_position(new, old)
    has = {_name(field): field for field in new}
    known = {_name(field) for field in old}
    problems = []
    for field in old:
        name = _name(field)
        problems += _field(f"{_kind(field)} {name}", has.get(name), field)
    added = [field for field in new if _name(field) not in known and _is_required(field)]
    return problems + [f"{_kind(field)} {_name(field)} is required and new" for field in added]


def _by_position(new: Sequence[Field], old: Sequence[Field]) -> list[str]:
    if len(new) != len(old):
        return [f"it takes {len(new)} inputs by position, and there were {len(old)}"]
    problems = []
    for at, (after, before) in enumerate(zip(new, old, strict=True)):
        if _name(after) != _name(before):
            now, was = (_name(field) or "without a name" for field in (after, before))
            problems.append(f"input {at} is {now}, and was {was}")
        problems += _field(f"input {at}", after, before)
    return problems


def _field(what: str, new: Field | None, old: Field) -> list[str]:
    if new is None:
        return [f"{what} is missing"]
    if not _takes(new, old):
        return [f"{what} is {typed(new)}, and was {typed(old)}"]
    if _is_required(new) and not _is_required(old):
        return [f"{what} is required, and was not"]
    return []


def _params(new: Sequence[Field] | None, old: Sequence[Field] | None) -> list[str]:
    has = {_name(param): param for param in new or ()}
    problems = []
    for param in old or ():
        after, name = has.get(_name(param)), _name(param)
        if after is None:
            problems.append(f"param {name} is missing")
        elif (after.get("type"), after.get("shape")) != (param.get("type"), param.get("shape")):
            problems.append(f"param {name} is {after.get('type')}, and was {param.get('type')}")
    return problems


def _takes(new: Field, old: Field) -> bool:
    before, after = old.get("tensor-spec"), new.get("tensor-spec")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return typed(new) == typed(old)
    was, now = before.get("shape"), after.get("shape")
    if before.get("dtype") != after.get("dtype") or not (
        isinstance(was, list) and isinstance(now, list)
    ):
        return before == after
    return len(was) == len(now) and all(n in (-1, w) for w, n in zip(was, now, strict=True))


def typed(field: Field) -> str:
    """Its type in words; what is nested as JSON, in one order."""
    tensor = field.get("tensor-spec")
    if isinstance(tensor, Mapping):
        return f"{tensor.get('dtype')}{tensor.get('shape')}"
    rest = {key: value for key, value in field.items() if key not in ("name", "required")}
    return str(rest["type"]) if rest.keys() == {"type"} else json.dumps(rest, sort_keys=True)


def _name(field: Field) -> str | None:
    name = field.get("name")
    return None if name is None else str(name)


def _is_required(field: Field) -> bool:
    return bool(field.get("required", True))


def _kind(field: Field) -> str:
    return "tensor" if "tensor-spec" in field else "column"
