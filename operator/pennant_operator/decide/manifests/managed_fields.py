"""Whose a field is: managedFields, as the API server keeps them.

Each entry names a manager and, as a tree, the fields that it set last. A key of the tree is
`f:name` for a field, `k:{...}` for an item of a list by its keys, `v:...` for one of a set; an
empty tree is a leaf, or a list or map that is replaced as a whole. A field that somebody changes or
takes away is no longer in our tree; one that the API server or admission stored otherwise than we
wrote it still is. So neither defaults nor spellings nor the keys of lists need be known here.
"""

import functools
import json
from typing import Any, TypeAlias

from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.vocabulary import FIELD_MANAGER

Tree: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]


def applied_entry(live: Object) -> dict[str, Any]:
    """What managedFields say of our own applies; empty where they say nothing."""
    return next((each for each in _entries(live) if _is_our_apply(each)), {})


def owned_tree(live: Object) -> Tree:
    """What is ours of an object."""
    tree: Tree = applied_entry(live).get("fieldsV1", {})
    return tree or {".": {}}


def other_managers(live: Object, path: Path) -> list[str]:
    """Who else set a field last; nobody where it was taken away."""
    managers = (e["manager"] for e in _entries(live) if not _is_our_apply(e) and _sets(e, path))
    return sorted(set(managers))


def part_at(whole: Any, key: str) -> Any:
    """The part of an object or list that a key of a tree means; None where there is none."""
    kind, _, text = key.partition(":")
    if kind == "f":
        return whole.get(text) if isinstance(whole, dict) else None
    items, keys = whole if isinstance(whole, list) else [], parsed_key(text)
    if kind == "v":
        return keys if keys in items else None
    return next((i for i in items if isinstance(i, dict) and _has_key(i, keys)), None)


def list_key(item: Any, ours: Tree) -> str:
    """The key of a list's item in our tree, or what it would be."""
    known = next((key for key in ours if key != "." and part_at([item], key) is not None), None)
    if known is not None:
        return known
    if not isinstance(item, dict):
        return f"v:{json.dumps(item)}"
    names: Tree = next((json.loads(key[2:]) for key in ours if key.startswith("k:")), {})
    return "k:" + json.dumps({n: item.get(n) for n in names}, separators=(",", ":"))


@functools.lru_cache(maxsize=1000)
def parsed_key(text: str) -> Any:
    """The few keys of our lists are the same in every object."""
    return json.loads(text)


def path_text(path: Path) -> str:
    """A field as people write it, such as spec.template.spec.containers[name=serve].image."""
    return "".join(map(_key_text, path)).removeprefix(".")


def _entries(live: Object) -> list[dict[str, Any]]:
    return live["metadata"].get("managedFields") or []


def _is_our_apply(each: dict[str, Any]) -> bool:
    return each.get("manager") == FIELD_MANAGER and each.get("operation") == "Apply"


def _sets(each: dict[str, Any], path: Path) -> bool:
    below: Tree | None = each.get("fieldsV1", {})
    for key in path:
        below = below.get(key) if below else None
        if not below:
            return below is not None  # as a whole, or not at all
    return True


def _has_key(item: dict[str, Any], keys: dict[str, Any]) -> bool:
    """A key that an item leaves out has its default, which is what stands in the tree."""
    return all(item.get(name, value) == value for name, value in keys.items())


def _key_text(key: str) -> str:
    kind, _, text = key.partition(":")
    if kind == "f":
        return f".{text}" if text.isidentifier() else f"[{text}]"
    if kind == "v":
        return f"[{text}]"
    return "[" + ",".join(f"{name}={value}" for name, value in json.loads(text).items()) + "]"
