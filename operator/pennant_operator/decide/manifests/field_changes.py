"""Which fields that we want somebody else changed, told by whose they are (managed_fields.py)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.manifests.managed_fields import (
    Path,
    Tree,
    applied_entry,
    list_key,
    owned_tree,
    parsed_key,
    part_at,
)
from pennant_operator.decide.seen.observed import Object

EMPTY_VALUES: tuple[Any, ...] = ({}, [], None)


@dataclass(frozen=True)
class Leaf:
    """One field that we want: what it should be, what it is, and whether it is still ours."""

    path: Path
    wanted: Any
    live: Any
    ours: bool


def wanted_leaves(wanted: Any, live: Any, ours: Tree | None, path: Path = ()) -> Iterator[Leaf]:
    """Every field that we want, down to what the API server replaces as a whole.

    A list whose items are told apart by keys is a leaf of its own where others put more into it.
    """
    if not ours or live is None or not isinstance(wanted, dict | list):
        yield Leaf(path, wanted, live, ours is not None)
    elif isinstance(wanted, dict):
        below = live if isinstance(live, dict) else {}
        for name, value in wanted.items():
            key = f"f:{name}"
            yield from wanted_leaves(value, below.get(name), ours.get(key), (*path, key))
    else:
        items = live if isinstance(live, list) else []
        for item in wanted:
            key = list_key(item, ours)
            yield from wanted_leaves(item, part_at(items, key), ours.get(key), (*path, key))
        if len(items) > len(wanted):
            yield Leaf(path, wanted, items, ours=True)


def lost_fields(wanted: Object, live: Object) -> tuple[Path, ...]:
    """The fields that are not ours any more and read otherwise than we want them.

    An empty list with keys is nobody's. Where nothing is known of whose they are, as after a
    restore, what others put beside them is not minded.
    """
    ours = owned_tree(live)
    if all(_intact(value, ours.get(f"f:{name}")) for name, value in _parts(wanted)):
        return ()
    known = bool(applied_entry(live))

    def same(leaf: Leaf) -> bool:
        if known and leaf.wanted not in EMPTY_VALUES:
            return bool(leaf.wanted == leaf.live)
        return matches_live(leaf.wanted, leaf.live)

    leaves = wanted_leaves(wanted, live, ours)
    return tuple(leaf.path for leaf in leaves if not leaf.ours and not same(leaf))


def has_leftovers(wanted: Any, ours: Tree) -> bool:
    """Whether a field is still ours that we no longer want."""
    for key, below in ours.items():
        if key == ".":
            continue
        value = part_at(wanted, key)
        if value is None or has_leftovers(value, below):
            return True
    return False


def matches_live(wanted: Any, live: Any) -> bool:
    """Whether everything that we want is there, letter by letter."""
    if wanted == live or wanted in EMPTY_VALUES:
        return True
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            matches_live(v, live.get(k)) for k, v in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return all(map(matches_live, wanted, live))
    return False


def _parts(wanted: Object) -> Iterator[tuple[str, Any]]:
    """Without what nobody manages: of which kind an object is, and its name."""
    for name, value in wanted.items():
        if name == "metadata":
            yield name, {key: value[key] for key in value if key not in {"name", "namespace"}}
        elif name not in {"apiVersion", "kind"}:
            yield name, value


def _intact(wanted: Any, ours: Tree | None) -> bool:
    """Whether all of it is ours: what nearly always is so, told fast."""
    if not ours:
        return ours is not None
    if isinstance(wanted, dict):
        return all(_intact(value, ours.get(f"f:{name}")) for name, value in wanted.items())
    if not isinstance(wanted, list):
        return True
    keyed = {tuple(parsed_key(key[2:]).values()): ours[key] for key in ours if key[0] == "k"}
    names = next((tuple(parsed_key(key[2:])) for key in ours if key[0] == "k"), None)
    if names is None:
        return False
    return all(
        isinstance(item, dict) and _intact(item, keyed.get(tuple(item.get(n) for n in names)))
        for item in wanted
    )
