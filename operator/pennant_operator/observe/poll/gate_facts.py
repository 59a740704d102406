"""What gates know of the versions that somebody is to roll: asked once, and
kept while somebody asks.

Again only while a version is held, for that is when another answer lets it go: on a hint, and else
ever less often.
"""

from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from pennant_operator.backoff import Backoff
from pennant_operator.decide.seen.observed import GateFacts
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.poll.gate_questions import NOTHING, GateQuestion, Parts
from pennant_operator.observe.poll.version_facts import Identity
from pennant_registry.gates import VersionFacts

# until a version that is held is looked at again, without a hint; doubles each time
FIRST_REREAD_SECONDS = 30.0
REREAD_CAP_SECONDS = 600.0  # at most, until a version that is held is looked at again
GATE_FACTS_LIMIT = 20  # versions that gates ask about, before aliases are looked at again

Read: TypeAlias = Callable[[Identity, Parts], Awaitable[VersionFacts]]


@dataclass
class _VersionEntry:
    """What is known of one version, and for whom."""

    asked_by: dict[Key, GateQuestion] = field(default_factory=dict)
    facts: VersionFacts | None = None
    parts: Parts = NOTHING
    read_at: float = float("-inf")
    reread_at: float = float("inf")
    hints: int = 0
    hints_followed: int = 0

    def parts_asked(self, version: Identity) -> Parts:
        return NOTHING.union(*(each.parts_by_version()[version] for each in self.asked_by.values()))

    @property
    def on_hold(self) -> bool:
        return any(question.on_hold for question in self.asked_by.values())


class GateFactsCache:
    """Of one registry's versions, for those ModelDeployments that ask."""

    def __init__(self) -> None:
        self._questions: dict[Key, GateQuestion] = {}
        self._versions: dict[Identity, _VersionEntry] = {}
        self._backoff = Backoff(first_seconds=FIRST_REREAD_SECONDS, cap_seconds=REREAD_CAP_SECONDS)

    def look_up(self, key: Key, question: GateQuestion | None, now: float) -> GateFacts | None:
        """What is known, for one ModelDeployment; None where something is still to be asked.

        With `question` None it asks nothing any more.
        """
        before = self._questions.pop(key, None)
        asked = {} if question is None else question.parts_by_version()
        for version in before.parts_by_version().keys() - asked.keys() if before else ():
            self._drop(key, version)
        if question is None:
            return None
        self._questions[key] = question
        for version in asked:
            entry = self._versions.setdefault(version, _VersionEntry())
            if key not in entry.asked_by and now > entry.read_at + FIRST_REREAD_SECONDS:
                entry.hints += 1  # it may have been otherwise when the others asked
            entry.asked_by[key] = question
        known = self._facts(question.version, question.parts)
        serving = question.serving
        if isinstance(serving, Identity):
            serving = self._facts(serving, question.serving_parts)
            known = known if serving else None
        return GateFacts(known, serving) if known else None

    def hint(self, model: str, version: str) -> bool:
        """Something of a version changed; whether somebody is held who would know it."""
        concerned = [entry for of, entry in self._versions.items() if of[:2] == (model, version)]
        for entry in concerned:
            entry.hints += 1
        return any(entry.on_hold for entry in concerned)

    def due(self, now: float) -> list[Identity]:
        """What is to be asked now, no more than may be asked at once."""
        return [of for of, entry in self._versions.items() if self._is_due(of, entry, now)][
            :GATE_FACTS_LIMIT
        ]

    def next_reread(self) -> float:
        """When a version that is held is to be looked at again."""
        return min(
            (entry.reread_at for entry in self._versions.values() if entry.on_hold),
            default=float("inf"),
        )

    async def ask(self, version: Identity, read: Read, now: float) -> Set[Key]:
        """Ask about a version; who is to know that it is another than before.

        What `read` raises leaves all as it was, to be asked again.
        """
        entry = self._versions.get(version)
        if entry is None:
            return set()
        parts, hints = entry.parts_asked(version), entry.hints
        facts = await read(version, parts)
        if self._versions.get(version) is not entry:
            return set()
        news = repr(facts) != repr(entry.facts)  # what is not a number is not even itself
        if news:
            self._backoff.forget(version)
        news = news or not parts <= entry.parts
        entry.facts, entry.parts, entry.hints_followed = facts, parts, hints
        entry.read_at, entry.reread_at = now, now + self._backoff.next(version)
        return set(entry.asked_by) if news else set()

    def watches(self) -> set[Watch]:
        """Those that somebody asks for."""
        return {question.watch for question in self._questions.values()}

    def forget_all_but(self, watching: Mapping[Watch, Set[Key]]) -> None:
        """Drop what nobody watches any more."""
        for key, question in list(self._questions.items()):
            if key not in watching.get(question.watch, ()):
                del self._questions[key]
                for version in question.parts_by_version():
                    self._drop(key, version)

    def _facts(self, version: Identity, parts: Parts) -> VersionFacts | None:
        if not parts:
            return VersionFacts(version.version)
        entry = self._versions[version]
        return entry.facts if parts <= entry.parts else None

    def _is_due(self, version: Identity, entry: _VersionEntry, now: float) -> bool:
        if not entry.parts_asked(version) <= entry.parts:
            return True
        return entry.on_hold and (entry.hints > entry.hints_followed or now >= entry.reread_at)

    def _drop(self, key: Key, version: Identity) -> None:
        entry = self._versions[version]
        entry.asked_by.pop(key, None)
        if not entry.asked_by:
            del self._versions[version]
            self._backoff.forget(version)
