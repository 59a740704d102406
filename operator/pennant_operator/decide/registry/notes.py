"""What is to be said in the registry of a ModelDeployment's versions: by its status alone.

One sentence for each version that serves, is held or was rejected there (`spec.writeBack`). What a
registry is silent about changes nothing that was said.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_operator.decide.times import format_time, parse_time
from pennant_operator.decide.vocabulary import Condition, Reason
from pennant_registry.names import version_problem
from pennant_registry.places import Place, hold_note, note_of, rejection_note, serving_note

GATES_NOT_ASKED = "gates"  # what `status.gates` calls them until the registry was asked
_MISSING = Reason.SERVING_VERSION_MISSING
_HOLDS = {
    Reason.BRAKED,
    Reason.CONFIGURATION_ERROR,
    Reason.GATE_NOT_PASSED,
    Reason.HELD,
    Reason.HELD_BY_ACTION,
    Reason.HELD_IN_REGISTRY,
    Reason.IMAGE_NOT_ALLOWED,
    Reason.SCALED_TO_ZERO,
    Reason.SOURCE_NOT_ALLOWED,
    Reason.SUSPENDED,
}


class UnwrittenError(Exception):
    """A registry was not asked, or did not do it; says why, and what to do.

    `alone`: that is so of one model, and says nothing about the others.
    """

    def __init__(self, why: str, *, alone: bool = False) -> None:
        super().__init__(why)
        self.alone = alone


@dataclass(frozen=True)
class TaggedVersion:
    """A version as its registry has it."""

    created: int  # milliseconds since the epoch
    tags: dict[str, str]


class TagWrite(NamedTuple):
    """A tag that a version is to have, or (None) not to have any more."""

    model: str
    version: str
    key: str
    value: str | None


class NotedVersion(NamedTuple):
    """A version of a model, and which one of that number: `created` is 0 where any is meant."""

    model: str
    version: str
    created: int


@dataclass(frozen=True)
class Notes:
    """What is to be said, by version, and when it will be another sentence by itself."""

    texts: dict[NotedVersion, str] = field(default_factory=dict)
    until: datetime | None = None
    keeps_good: bool = False  # which a cluster that was made anew may have to start from


def notes_of(
    owner: Object, records: Mapping[str, Record], registry: str, now: datetime
) -> Notes | None:
    """What a ModelRegistry is to be told of one ModelDeployment; None: what it was told stands.

    `records` are those of its revisions: a status names no model.
    """
    status = sanitized_status(owner.get("status"))
    in_sync = _condition(status, Condition.ALIAS_IN_SYNC)
    # Whether what is desired is held stands in no condition while what serves is missing.
    if in_sync.get("status") == "Unknown" or in_sync.get("reason") == _MISSING:
        return None
    texts: dict[NotedVersion, str] = {}
    for entry in reversed(status.get("rejected", ())):
        _note(texts, entry, records, registry, _note_of_rejected(entry))
    good_at, serving = _good_at(owner, status), status.get("serving") or {}
    good = good_at is not None and good_at <= now
    if serving.get("since"):
        _note(texts, serving, records, registry, _note_of_serving(serving, good=good))
    _note_hold(texts, status, in_sync, registry)
    ready = _condition(status, Condition.READY)
    keeps_good = ready.get("reason") in {None, Reason.NOTHING_SERVED_YET}
    return Notes(texts, None if good else good_at, keeps_good)


def is_noted(of: NotedVersion, entry: TaggedVersion | None) -> bool:
    """Whether this is the version that is meant, and not another one of its number."""
    return entry is not None and of.created in {0, entry.created}


def due_writes(
    place: Place,
    texts: Mapping[NotedVersion, str],
    tagged: Mapping[str, Mapping[str, TaggedVersion]],
    bearers: Callable[[str], Iterable[tuple[str, str]]],
    head: str | None,
    *,
    keeps_good: bool = False,
) -> list[TagWrite]:
    """What makes the tags of a place say this of these versions, and nothing of all others.

    `tagged` are the versions of each model as they are, `bearers` gives model and number of those
    that have a tag. First what is so now: in between more is said than is so, and never less.
    `head`, that of the decision lines, goes with a sentence that changes, and never by itself.
    With `keeps_good` a version that is said to serve well is said so on.
    """
    wanted = {
        (of.model, of.version): text
        for of, text in texts.items()
        if is_noted(of, tagged.get(of.model, {}).get(of.version))
    }
    writes = []
    for where, text in wanted.items():
        tags = tagged[where[0]][where[1]].tags
        if tags.get(place.tag) == text:
            continue
        # The sentence last: whoever is killed before it has both to write again.
        if head is not None and tags.get(place.decision_tag) != head:
            writes.append(TagWrite(*where, place.decision_tag, head))
        writes.append(TagWrite(*where, place.tag, text))
    keys = (place.decision_tag, place.tag)
    good_ones = _good_ones(place, bearers(place.tag), tagged) if keeps_good else set()
    stay = wanted.keys() | good_ones
    gone = [(where, key) for key in keys for where in bearers(key) if where not in stay]
    return writes + [TagWrite(*where, key, None) for where, key in gone]


def _good_ones(
    place: Place,
    bearing: Iterable[tuple[str, str]],
    tagged: Mapping[str, Mapping[str, TaggedVersion]],
) -> set[tuple[str, str]]:
    """Those that are said to serve at a place, and passed their bake."""
    notes = {of: note_of(tagged[of[0]][of[1]].tags.get(place.tag, "")) for of in bearing}
    return {of for of, note in notes.items() if note is not None and note.good}


def _note(
    texts: dict[NotedVersion, str],
    entry: dict[str, Any],
    records: Mapping[str, Record],
    registry: str,
    text: str,
) -> None:
    """Of the version that a revision was made of, if that is known and was of this registry."""
    record = records.get(entry["revision"])
    if record is not None and record.registry in {registry, ""}:
        texts[NotedVersion(record.model, record.version, record.created)] = text


def _note_hold(
    texts: dict[NotedVersion, str], status: dict[str, Any], in_sync: dict[str, Any], registry: str
) -> None:
    """Of what is desired and not rolled out; nothing where something else is said of it."""
    watch, version = status.get("resolved") or {}, (status.get("desired") or {}).get("version")
    if in_sync.get("reason") not in _HOLDS or watch.get("registry") != registry:
        return
    if version is None or version_problem(version) is not None or _gates_not_asked(status):
        return
    model = str(watch.get("model", ""))
    if any((of.model, of.version) == (model, version) for of in texts):
        return
    reason, message = in_sync["reason"], in_sync["message"]
    candidate = status.get("candidate") or {}
    if reason == Reason.HELD and candidate.get("version") == version and candidate.get("reason"):
        reason, message = candidate["reason"], candidate.get("message", "")
    texts[NotedVersion(model, version, 0)] = hold_note(reason, message)


def _gates_not_asked(status: dict[str, Any]) -> bool:
    return any(entry.get("gate") == GATES_NOT_ASKED for entry in status.get("gates") or ())


def _note_of_rejected(entry: dict[str, Any]) -> str:
    return rejection_note(entry["reason"], entry["message"], format_time(parse_time(entry["time"])))


def _note_of_serving(serving: dict[str, Any], *, good: bool) -> str:
    since = format_time(parse_time(serving["since"]))
    return serving_note(since, serving.get("digest"), good=good)


def _good_at(owner: Object, status: dict[str, Any]) -> datetime | None:
    """When the bake of what serves is over; None where nothing serves, or no bake can be read."""
    since = (status.get("serving") or {}).get("since")
    try:
        return parse_time(since) + parse_spec(owner).bake if since else None
    except (InvalidSpecError, OverflowError):
        return None


def _condition(status: dict[str, Any], kind: Condition) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})
