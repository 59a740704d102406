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

from pennant_operator.decide.manifests import fields, managed
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_APPLIED,
    ANNOTATION_SET_BACK,
    LABEL_REVISION,
)

SET_BACK = 3  # times within CALM; what is changed once more is accepted
CALM = timedelta(hours=1)  # a change that comes so long after the last one is no insisting
LENGTH = 16  # hex digits
# By these a child is known as ours, and watched: that is left to nobody.
KNOWN_BY = (("f:metadata", "f:labels"), ("f:metadata", "f:ownerReferences"))


@dataclass(frozen=True)
class Due:
    """An apply that is due: the mark to leave, and what others changed if that is why."""

    mark: str
    count: str = ""  # to leave beside it
    lost: tuple[managed.Path, ...] = ()
    times: int = 0  # so often it will have been set back
    last: bool = False  # what is changed again is accepted


def due(wanted: Object, live: Object | None, now: datetime, *, insist: bool = False) -> Due | None:
    """What to apply `wanted` with, None where nothing is to be written.

    With `insist` nothing that others change is ever accepted; labels and owner never are.
    """
    new = Due(_hash(wanted))
    if live is None:
        return new
    applied = _said(live, ANNOTATION_APPLIED)
    if applied != new.mark and (applied or not _as_an_older_operator_left_it(wanted, live)):
        return new
    lost = fields.lost(wanted, live)
    if not lost:
        return None
    insist = insist or any(path[:2] in KNOWN_BY for path in lost)
    # Apart from the mark: who applies a copy of the object sets that back, and leaves this.
    count, _, accepted = _said(live, ANNOTATION_SET_BACK).partition(".") if applied else ("",) * 3
    named = _hash(lost)
    if accepted == named and not insist:
        return None
    times = int(count) if re.fullmatch("[0-9]{1,6}", count) and _lately(live, now) else 0
    if times >= SET_BACK and not insist:
        return None
    times += 1
    last = times == SET_BACK and not insist
    # What is accepted is so for good; the times before that count within the hour.
    return Due(new.mark, f"{times}.{named}" if last else f"{times}", lost, times, last)


def marked(wanted: Object, due: Due) -> Object:
    """What is applied: the mark is among the annotations."""
    meta = wanted["metadata"]
    annotations = {**meta.get("annotations", {}), ANNOTATION_APPLIED: due.mark}
    if due.count:
        annotations[ANNOTATION_SET_BACK] = due.count
    return {**wanted, "metadata": {**meta, "annotations": annotations}}


def _hash(what: Object | tuple[managed.Path, ...]) -> str:
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _said(live: Object, annotation: str) -> str:
    said: str = (live["metadata"].get("annotations") or {}).get(annotation, "")
    return said


def _as_an_older_operator_left_it(wanted: Object, live: Object) -> bool:
    """Without a mark values tell after all; the template is that of its revision (law 5)."""
    if fields.left_over(wanted, managed.tree(live)):
        return False
    if _revision(wanted) == _revision(live) is not None:
        wanted = {**wanted, "spec": {**wanted["spec"], "template": live["spec"]["template"]}}
    return fields.alike(wanted, live)


def _revision(child: Object) -> Any:
    template = child.get("spec", {}).get("template", {})
    return template.get("metadata", {}).get("labels", {}).get(LABEL_REVISION)


def _lately(live: Object, now: datetime) -> bool:
    applied = managed.entry(live).get("time")
    return applied is None or now - parse_time(applied) < CALM
