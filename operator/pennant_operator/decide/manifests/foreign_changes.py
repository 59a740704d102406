"""What to tell where others change what we set: it is accepted, and said once."""

from typing import Any

from pennant_operator.decide.intent import NORMAL, WARNING, Event
from pennant_operator.decide.manifests.drift import MAX_SET_BACKS, DueApply
from pennant_operator.decide.manifests.field_changes import wanted_leaves
from pennant_operator.decide.manifests.managed_fields import (
    Path,
    other_managers,
    owned_tree,
    path_text,
)
from pennant_operator.decide.quantities import parse_quantity
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.vocabulary import EventReason

MAX_NAMED_FIELDS = 5  # fields in one message


def insistence_event(live: Object, due: DueApply) -> Event | None:
    """The event where somebody changes a field again whenever it was set back."""
    if due.times != MAX_SET_BACKS:
        return None
    fields = _fields_text(live, due.lost)
    managers = sorted({name for path in due.lost for name in other_managers(live, path)})
    then = "from now on it is left as it is changed" if due.last else "it goes on being set back"
    return Event(
        WARNING,
        EventReason.FIELD_CHANGED,
        f"{fields} was changed {MAX_SET_BACKS} times by {', '.join(managers) or 'somebody'} "
        f"and set back; {then}: let only one of the two set it",
    )


def admitted_paths(wanted: Object, live: Object | None) -> frozenset[Path]:
    """The fields that are stored with another meaning than that of what we sent.

    Nobody but admission can have changed those that are ours.
    """
    if live is None:
        return frozenset()
    ours = (leaf for leaf in wanted_leaves(wanted, live, owned_tree(live)) if leaf.ours)
    return frozenset(leaf.path for leaf in ours if not _means_the_same(leaf.wanted, leaf.live))


def admission_event(wanted: Object, stored: Object, before: frozenset[Path]) -> Event | None:
    """The event after an apply; None where it changed nothing that was not changed `before`."""
    new = sorted(admitted_paths(wanted, stored) - before)
    if not new:
        return None
    fields = _fields_text(stored, tuple(new))
    return Event(
        NORMAL,
        EventReason.FIELD_CHANGED,
        f"{fields} was changed by an admission webhook or policy as it was "
        "written; it is left as it is",
    )


def _fields_text(live: Object, paths: tuple[Path, ...]) -> str:
    named = [path_text(path) for path in paths]
    more = f" and {len(named) - MAX_NAMED_FIELDS} more" if len(named) > MAX_NAMED_FIELDS else ""
    return f"{live['kind']} {live['metadata']['name']}: {', '.join(named[:MAX_NAMED_FIELDS])}{more}"


def _means_the_same(wanted: Any, live: Any) -> bool:
    """The same, perhaps in the API server's spelling; nothing is as good as an empty value."""
    if not wanted or wanted == live:
        return True
    if isinstance(wanted, dict):
        fields = {} if live is None else live
        return isinstance(fields, dict) and all(
            _means_the_same(v, fields.get(k)) for k, v in wanted.items()
        )
    if isinstance(wanted, list):
        same = isinstance(live, list) and len(wanted) == len(live)
        return same and all(map(_means_the_same, wanted, live))
    number = parse_quantity(wanted)
    return number is not None and number == parse_quantity(live)
