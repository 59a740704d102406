"""Whether a child must be written: it is not as our last apply left it (law 7).

The API server spells what it stores in its own way ("" goes, .5 becomes 500m), and admission may
change it, so values alone tell little. Our last apply left a mark, a hash of what was applied: with
another one there is something new to write. With the same one only what others changed since is
drift, which managedFields tell. All of this is on the object: a restart forgets none of it.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.manifests import field_changes, managed_fields
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_APPLIED,
    ANNOTATION_SET_BACK,
    LABEL_REVISION,
)

MAX_SET_BACKS = 3  # within SET_BACK_WINDOW; what is changed once more is accepted
SET_BACK_WINDOW = timedelta(hours=1)  # who changes it again later does not insist
MARK_LENGTH = 16  # hex digits
# By these a child is known as ours, and watched: that is left to nobody.
IDENTITY_PATHS = (("f:metadata", "f:labels"), ("f:metadata", "f:ownerReferences"))


@dataclass(frozen=True)
class DueApply:
    """An apply that is due: the mark to leave, and what others changed if that is why."""

    mark: str
    count: str = ""  # to leave beside it
    lost: tuple[managed_fields.Path, ...] = ()
    times: int = 0  # so often it will have been set back
    last: bool = False  # what is changed again is accepted


def due_apply(
    wanted: Object, live: Object | None, now: datetime, *, insist: bool = False
) -> DueApply | None:
    """What to apply `wanted` with, None where nothing is to be written.

    With `insist` nothing that others change is ever accepted; labels and owner never are.
    """
    new = DueApply(_hash(wanted))
    if live is None:
        return new
    applied = _annotation(live, ANNOTATION_APPLIED)
    if applied != new.mark and (applied or not _as_an_older_operator_left_it(wanted, live)):
        return new
    lost = field_changes.lost_fields(wanted, live)
    if not lost:
        return None
    insist = insist or any(path[:2] in IDENTITY_PATHS for path in lost)
    # Apart from the mark: who applies a copy of the object sets that back, and leaves this.
    set_back = _annotation(live, ANNOTATION_SET_BACK) if applied else ""
    count, _, accepted = set_back.partition(".")
    named = _hash(lost)
    if accepted == named and not insist:
        return None
    times = int(count) if re.fullmatch("[0-9]{1,6}", count) and _set_back_lately(live, now) else 0
    if times >= MAX_SET_BACKS and not insist:
        return None
    times += 1
    last = times == MAX_SET_BACKS and not insist
    # What is accepted is so for good; the times before that count within the hour.
    return DueApply(new.mark, f"{times}.{named}" if last else f"{times}", lost, times, last)


def with_mark(wanted: Object, due: DueApply) -> Object:
    """What is applied: the mark is among the annotations."""
    meta = wanted["metadata"]
    annotations = {**meta.get("annotations", {}), ANNOTATION_APPLIED: due.mark}
    if due.count:
        annotations[ANNOTATION_SET_BACK] = due.count
    return {**wanted, "metadata": {**meta, "annotations": annotations}}


def _hash(what: Object | tuple[managed_fields.Path, ...]) -> str:
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:MARK_LENGTH]


def _annotation(live: Object, annotation: str) -> str:
    value: str = (live["metadata"].get("annotations") or {}).get(annotation, "")
    return value


def _as_an_older_operator_left_it(wanted: Object, live: Object) -> bool:
    """Without a mark values tell after all; the template is that of its revision (law 5)."""
    if field_changes.has_leftovers(wanted, managed_fields.owned_tree(live)):
        return False
    if _template_revision(wanted) == _template_revision(live) is not None:
        wanted = {**wanted, "spec": {**wanted["spec"], "template": live["spec"]["template"]}}
    return field_changes.matches_live(wanted, live)


def _template_revision(child: Object) -> Any:
    template = child.get("spec", {}).get("template", {})
    return template.get("metadata", {}).get("labels", {}).get(LABEL_REVISION)


def _set_back_lately(live: Object, now: datetime) -> bool:
    applied = managed_fields.applied_entry(live).get("time")
    return applied is None or now - parse_time(applied) < SET_BACK_WINDOW
