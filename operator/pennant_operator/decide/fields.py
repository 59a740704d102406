"""Whose a field is: managedFields, as the API server keeps them.

Each entry names a manager and, as a tree, the fields that it set last. A key of the tree is
`f:name` for a field, `k:{...}` for an item of a list by its keys, `v:...` for one of a set; an
empty tree is a leaf, or a list or map that is replaced as a whole. A field that somebody changes or
takes away is no longer in our tree; one that the API server or admission stored otherwise than we
wrote it still is. So neither defaults nor spellings nor the keys of lists need be known here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pennant_operator.decide.observed import Object
from pennant_operator.decide.vocabulary import FIELD_MANAGER

Tree: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]
EMPTY: tuple[Any, ...] = ({}, [], None)


def entry(live: Object) -> dict[str, Any]:
    """What managedFields say of our own applies; empty where they say nothing."""
    return next((each for each in _entries(live) if _is_ours(each)), {})


@dataclass(frozen=True)
class Leaf:
    """One field that we want: what it should be, what it is, and whether it is still ours."""

    path: Path
    wanted: Any
    live: Any
    ours: bool


def leaves(wanted: Any, live: Any, ours: Tree | None) -> Iterator[Leaf]:
    """Every field that we want, down to what the API server replaces as a whole.

    A list whose items are told apart by keys is a leaf of its own where others put more into it.
    """
    if not ours or live is None or not isinstance(wanted, dict | list):
        yield Leaf((), wanted, live, ours is not None)
    elif isinstance(wanted, dict):
        below = live if isinstance(live, dict) else {}
        for name, value in wanted.items():
            key = f"f:{name}"
            yield from _under(key, leaves(value, below.get(name), ours.get(key)))
    else:
        items = live if isinstance(live, list) else []
        for item in wanted:
            key = _key_of(item, ours)
            yield from _under(key, leaves(item, _found(items, key), ours.get(key)))
        if len(items) > len(wanted):
            yield Leaf((), wanted, items, ours=True)


def lost(wanted: Object, live: Object) -> tuple[Path, ...]:
    """The fields that are not ours any more and read otherwise than we want them.

    An empty list with keys is nobody's. Where nothing is known of whose they are, as after a
    restore, what others put beside them is not minded.
    """
    known = bool(entry(live))

    def same(leaf: Leaf) -> bool:
        if known and leaf.wanted not in EMPTY:
            return bool(leaf.wanted == leaf.live)
        return alike(leaf.wanted, leaf.live)

    found = leaves(wanted, live, tree(live))
    return tuple(leaf.path for leaf in found if not leaf.ours and not same(leaf))


def tree(live: Object) -> Tree:
    """What is ours of an object."""
    found: Tree = entry(live).get("fieldsV1", {})
    return found or {".": {}}


def left_over(wanted: Any, ours: Tree) -> bool:
    """Whether a field is still ours that we no longer want."""
    for key, below in ours.items():
        if key == ".":
            continue
        found = _found(wanted, key)
        if found is None or left_over(found, below):
            return True
    return False


def alike(wanted: Any, live: Any) -> bool:
    """Whether everything that we want is there, letter by letter."""
    if wanted == live or wanted in EMPTY:
        return True
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(alike(v, live.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return all(map(alike, wanted, live))
    return False


def holders(live: Object, path: Path) -> list[str]:
    """Who else set a field last; nobody where it was taken away."""
    found = (e["manager"] for e in _entries(live) if not _is_ours(e) and _holds(e, path))
    return sorted(set(found))


def told(path: Path) -> str:
    """A field as people write it, such as spec.template.spec.containers[name=serve].image."""
    return "".join(map(_told, path)).removeprefix(".")


def _entries(live: Object) -> list[dict[str, Any]]:
    return live["metadata"].get("managedFields") or []


def _is_ours(each: dict[str, Any]) -> bool:
    return each.get("manager") == FIELD_MANAGER and each.get("operation") == "Apply"


def _under(key: str, found: Iterator[Leaf]) -> Iterator[Leaf]:
    return (replace(leaf, path=(key, *leaf.path)) for leaf in found)


def _holds(each: dict[str, Any], path: Path) -> bool:
    below: Tree | None = each.get("fieldsV1", {})
    for key in path:
        below = below.get(key) if below else None
        if not below:
            return below is not None  # as a whole, or not at all
    return True


def _found(whole: Any, key: str) -> Any:
    """The part of an object or list that a key of a tree means; None where there is none."""
    kind, _, text = key.partition(":")
    if kind == "f":
        return whole.get(text) if isinstance(whole, dict) else None
    items, meant = whole if isinstance(whole, list) else [], json.loads(text)
    if kind == "v":
        return meant if meant in items else None
    return next((i for i in items if isinstance(i, dict) and _is_meant(i, meant)), None)


def _is_meant(item: dict[str, Any], keys: dict[str, Any]) -> bool:
    """A key that an item leaves out has its default, which is what stands in the tree."""
    return all(item.get(name, value) == value for name, value in keys.items())


def _key_of(item: Any, ours: Tree) -> str:
    """The key of a list's item in our tree, or what it would be."""
    known = next((key for key in ours if key != "." and _found([item], key) is not None), None)
    if known is not None:
        return known
    if not isinstance(item, dict):
        return f"v:{json.dumps(item)}"
    names: Tree = next((json.loads(key[2:]) for key in ours if key.startswith("k:")), {})
    return "k:" + json.dumps({n: item.get(n) for n in names}, separators=(",", ":"))


def _told(key: str) -> str:
    kind, _, text = key.partition(":")
    if kind == "f":
        return f".{text}" if text.isidentifier() else f"[{text}]"
    if kind == "v":
        return f"[{text}]"
    return "[" + ",".join(f"{name}={value}" for name, value in json.loads(text).items()) + "]"
