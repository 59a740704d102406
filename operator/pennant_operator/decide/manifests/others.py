"""What to tell where others change what we set: it is accepted, and said once."""

from typing import Any

from pennant_operator.decide.intent import Event
from pennant_operator.decide.manifests import fields, managed
from pennant_operator.decide.manifests.drift import SET_BACK, Due
from pennant_operator.decide.quantities import quantity
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.vocabulary import EventReason

NAMED = 5  # fields in one message


def insisted(live: Object, due: Due) -> Event | None:
    """The event where somebody changes a field again whenever it was set back."""
    if due.times != SET_BACK:
        return None
    who = sorted({name for path in due.lost for name in managed.holders(live, path)})
    then = "from now on it is left as it is changed" if due.last else "it goes on being set back"
    return Event(
        "Warning",
        EventReason.FIELD_CHANGED,
        f"{_what(live, due.lost)} was changed {SET_BACK} times by {', '.join(who) or 'somebody'} "
        f"and set back; {then}: let only one of the two set it",
    )


def admitted(wanted: Object, live: Object | None) -> frozenset[managed.Path]:
    """The fields that are stored with another meaning than that of what we sent.

    Nobody but admission can have changed those that are ours.
    """
    if live is None:
        return frozenset()
    found = fields.leaves(wanted, live, managed.tree(live))
    return frozenset(x.path for x in found if x.ours and not _means(x.wanted, x.live))


def changed_on_the_way(
    wanted: Object, stored: Object, before: frozenset[managed.Path]
) -> Event | None:
    """The event after an apply; None where it changed nothing that was not changed `before`."""
    new = sorted(admitted(wanted, stored) - before)
    if not new:
        return None
    return Event(
        "Normal",
        EventReason.FIELD_CHANGED,
        f"{_what(stored, tuple(new))} was changed by an admission webhook or policy as it was "
        "written; it is left as it is",
    )


def _what(live: Object, paths: tuple[managed.Path, ...]) -> str:
    named = [managed.told(path) for path in paths]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"{live['kind']} {live['metadata']['name']}: {', '.join(named[:NAMED])}{more}"


def _means(wanted: Any, live: Any) -> bool:
    """The same, perhaps in the API server's spelling; nothing is as good as an empty value."""
    if not wanted or wanted == live:
        return True
    if isinstance(wanted, dict):
        there = {} if live is None else live
        return isinstance(there, dict) and all(_means(v, there.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(live, list) and len(wanted) == len(live)
        return same and all(map(_means, wanted, live))
    number = quantity(wanted)
    return number is not None and number == quantity(live)
