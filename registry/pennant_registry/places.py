"""Where a version serves, and the tag that says so on the version: one for each place.

A place is one ModelDeployment of one cluster. The operator writes what it made of a version there,
for people in MLflow's UI and, by its first word, for machines. Beside it may be the head of its
decision lines, for an auditor. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pennant_registry.errors import InvalidNameError

LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"  # of DNS: as namespaces and clusters are called
# The longest key has 8 + 63 + 1 + 63 + 1 + 50 + 9 characters: any place's is one that MLflow takes.
_TAG = re.compile(
    rf"pennant\.(?P<cluster>{LABEL})\.(?P<namespace>{LABEL})\.(?P<name>{LABEL})(\.decision)?"
)
_PLACE = re.compile(rf"(?P<cluster>{LABEL})/(?P<namespace>{LABEL})/(?P<name>{LABEL})")
TEXT_LIMIT = 1000  # characters of a tag's value: more is no sentence any more
GOOD = "good"  # ends what is said of a version that passed its bake


class Word(StrEnum):
    """How the value of such a tag begins."""

    SERVING = "serving"
    HELD = "held"
    REJECTED = "rejected"


_TIMES = {
    Word.SERVING: re.compile(r"\w+ since (\S+?)(?:,|$)"),
    Word.REJECTED: re.compile(r".*\(at (\S+)\)$"),
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A ModelDeployment, as `spec.writeBack.cluster` of its ModelRegistry calls its cluster."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def tag(self) -> str:
        """The key of the tags that say what is so there."""
        return f"pennant.{self.cluster}.{self.namespace}.{self.name}"

    @property
    def decision_tag(self) -> str:
        """The key of the tags that have the operator's last decision line of then."""
        return f"{self.tag}.decision"


@dataclass(frozen=True, slots=True)
class Note:
    """What a cluster says of a version."""

    word: Word
    sentence: str
    """All of the tag's value."""

    @property
    def good(self) -> bool:
        """It serves, and passed its bake."""
        return self.word is Word.SERVING and self.sentence.endswith(f", {GOOD}")

    @property
    def since(self) -> datetime | None:
        """Since when it serves, or was rejected; None where that is held, or cannot be read."""
        pattern = _TIMES.get(self.word)
        match = pattern.match(self.sentence) if pattern else None
        try:
            since = datetime.fromisoformat(match[1]) if match else None
        except ValueError:
            return None
        return since if since and since.tzinfo else None


def parse_place(text: str) -> Place:
    """From `cluster/namespace/name`; raises InvalidNameError."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidNameError(
            f"where {text!r} is no place: write cluster/namespace/name of a ModelDeployment, such "
            "as 'eu-1/newsreco/news-recommender'"
        )
    return Place(**match.groupdict())


def place_of_tag(key: str) -> Place | None:
    """The place that a tag of a version is about; None where it is about something else."""
    match = _TAG.fullmatch(key)
    return Place(**match.groupdict()) if match else None


def note_of(value: str) -> Note | None:
    """What a tag's value says; None for a word that no operator writes."""
    word = re.split(r"[ :]", value, maxsplit=1)[0]
    return Note(Word(word), value) if word in list(Word) else None


def notes_by_place(tags: Mapping[str, str]) -> dict[Place, Note]:
    """Of all tags of a version what clusters say of it."""
    pairs = ((key, place_of_tag(key), note_of(value)) for key, value in tags.items())
    return {place: note for key, place, note in pairs if place and key == place.tag and note}


def serving_note(since: str, digest: str | None, *, good: bool) -> str:
    """The value of the tag of what serves."""
    parts: Iterable[str] = (
        f"{Word.SERVING} since {since}",
        *((f"sha256 {digest}",) if digest else ()),
        *((GOOD,) if good else ()),
    )
    return _bounded(", ".join(parts))


def hold_note(reason: str, message: str) -> str:
    """The value of the tag of what is held."""
    return _bounded(f"{Word.HELD}: {reason}: {message}")


def rejection_note(reason: str, message: str, at: str) -> str:
    """The value of the tag of what was rejected: one that is again is told by its time."""
    return _bounded(f"{Word.REJECTED}: {reason}: {message}", f" (at {at})")


def _bounded(text: str, end: str = "") -> str:
    line, limit = " ".join(text.split()), TEXT_LIMIT - len(end)
    return (line if len(line) <= limit else f"{line[: limit - 1]}…") + end
