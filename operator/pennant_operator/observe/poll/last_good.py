"""Which version served well at a place before, by its tags: asked where nothing has served since.

Once while somebody wants to know it: what is answered then stands until nobody does.
"""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.mlflow.answers import RegisteredVersion
from pennant_operator.observe.mlflow.api import Registry
from pennant_registry.places import Place, notes_by_place

LAST_GOOD_LIMIT = 20  # places whose last good versions are asked for, before aliases are again


class GoodQuestion(NamedTuple):
    """Which version of a model was the last good one at a place."""

    model: str
    place: Place


async def last_good(registry: Registry, question: GoodQuestion) -> ModelVersion | None:
    """By the tags of its versions; None where none says so. Raises RegistryTroubleError."""
    versions = await registry.versions(question.model)
    since = {number: _good_since(each, question.place) for number, each in versions.items()}
    good = {number: moment for number, moment in since.items() if moment is not None}
    newest = max(good, key=good.__getitem__, default=None)
    return None if newest is None else await registry.resolve(versions[newest])


def _good_since(entry: RegisteredVersion, place: Place) -> datetime | None:
    note = notes_by_place(entry.tags).get(place)
    return note.since if note is not None and note.good else None


@dataclass
class LastGoodVersions:
    """Of one registry."""

    _wanted: dict[Key, GoodQuestion] = field(default_factory=dict)
    _answers: dict[GoodQuestion, ModelVersion | None] = field(default_factory=dict)

    def look_up(self, key: Key, question: GoodQuestion | None) -> ModelVersion | None:
        """The last good version; None where there is none, or it is still to be asked."""
        if question is None:
            self._wanted.pop(key, None)
            self._forget()
            return None
        self._wanted[key] = question
        return self._answers.get(question)

    def due(self) -> list[GoodQuestion]:
        """What is to be asked now, no more than may be asked at once."""
        unanswered = (each for each in self._wanted.values() if each not in self._answers)
        return [*islice(dict.fromkeys(unanswered), LAST_GOOD_LIMIT)]

    def answered(self, question: GoodQuestion, version: ModelVersion | None) -> Set[Key]:
        """The registry's word; who is to know that there is such a version."""
        self._answers[question] = version
        self._forget()
        if version is None:
            return set()
        return {key for key, wanted in self._wanted.items() if wanted == question}

    def forget_all_but(self, keys: Set[Key]) -> None:
        """Drop what nobody watches any more."""
        self._wanted = {key: each for key, each in self._wanted.items() if key in keys}
        self._forget()

    def _forget(self) -> None:
        wanted = set(self._wanted.values())
        self._answers = {each: v for each, v in self._answers.items() if each in wanted}
