"""What gates know of the versions that somebody is to roll: asked once, and kept while it is asked.

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
from pennant_operator.observe.poll.version_facts import Identity
from pennant_operator.observe.poll.wanted import NOTHING, Parts, Wanted
from pennant_registry.gates import VersionFacts

# until a version that is held is looked at again, without a hint; doubles each time
FIRST_REREAD_SECONDS = 30.0
REREAD_CAP_SECONDS = 600.0  # at most, until a version that is held is looked at again
GATE_FACTS_LIMIT = 20  # versions that gates ask about, before aliases are looked at again

Read: TypeAlias = Callable[[Identity, Parts], Awaitable[VersionFacts]]


@dataclass
class _Kept:
    """What is known of one version, and for whom."""

    asked_by: dict[Key, Wanted] = field(default_factory=dict)
    facts: VersionFacts | None = None
    parts: Parts = NOTHING
    read_at: float = float("-inf")
    reread_at: float = float("inf")
    hints: int = 0
    hints_followed: int = 0

    def wanted(self, version: Identity) -> Parts:
        return NOTHING.union(*(each.of()[version] for each in self.asked_by.values()))

    @property
    def held(self) -> bool:
        return any(wanted.held for wanted in self.asked_by.values())


class KeptGateFacts:
    """Of one registry's versions, for those ModelDeployments that ask."""

    def __init__(self) -> None:
        self._wanted: dict[Key, Wanted] = {}
        self._kept: dict[Identity, _Kept] = {}
        self._backoff = Backoff(first_seconds=FIRST_REREAD_SECONDS, cap_seconds=REREAD_CAP_SECONDS)

    def look_up(self, key: Key, wanted: Wanted | None, now: float) -> GateFacts | None:
        """What is known, for one ModelDeployment; None where something is still to be asked.

        With `wanted` None it asks nothing any more.
        """
        before = self._wanted.pop(key, None)
        asked = {} if wanted is None else wanted.of()
        for version in before.of().keys() - asked.keys() if before else ():
            self._drop(key, version)
        if wanted is None:
            return None
        self._wanted[key] = wanted
        for version in asked:
            kept = self._kept.setdefault(version, _Kept())
            if key not in kept.asked_by and now > kept.read_at + FIRST_REREAD_SECONDS:
                kept.hints += 1  # it may have been otherwise when the others asked
            kept.asked_by[key] = wanted
        known = self._facts(wanted.version, wanted.parts)
        serving = wanted.serving
        if isinstance(serving, Identity):
            serving = self._facts(serving, wanted.serving_parts)
            known = known if serving else None
        return GateFacts(known, serving) if known else None

    def hint(self, model: str, version: str) -> bool:
        """Something of a version changed; whether somebody is held who would know it."""
        concerned = [kept for of, kept in self._kept.items() if of[:2] == (model, version)]
        for kept in concerned:
            kept.hints += 1
        return any(kept.held for kept in concerned)

    def due(self, now: float) -> list[Identity]:
        """What is to be asked now, no more than may be asked at once."""
        return [of for of, kept in self._kept.items() if self._is_due(of, kept, now)][
            :GATE_FACTS_LIMIT
        ]

    def next_reread(self) -> float:
        """When a version that is held is to be looked at again."""
        return min((k.reread_at for k in self._kept.values() if k.held), default=float("inf"))

    async def ask(self, version: Identity, read: Read, now: float) -> Set[Key]:
        """Ask about a version; who is to know that it is another than before.

        What `read` raises leaves all as it was, to be asked again.
        """
        kept = self._kept.get(version)
        if kept is None:
            return set()
        parts, hints = kept.wanted(version), kept.hints
        facts = await read(version, parts)
        if self._kept.get(version) is not kept:
            return set()
        news = repr(facts) != repr(kept.facts)  # what is not a number is not even itself
        if news:
            self._backoff.forget(version)
        news = news or not parts <= kept.parts
        kept.facts, kept.parts, kept.hints_followed = facts, parts, hints
        kept.read_at, kept.reread_at = now, now + self._backoff.next(version)
        return set(kept.asked_by) if news else set()

    def watches(self) -> set[Watch]:
        """Those that somebody asks for."""
        return {wanted.watch for wanted in self._wanted.values()}

    def forget_all_but(self, watching: Mapping[Watch, Set[Key]]) -> None:
        """Drop what nobody watches any more."""
        for key, wanted in list(self._wanted.items()):
            if key not in watching.get(wanted.watch, ()):
                del self._wanted[key]
                for version in wanted.of():
                    self._drop(key, version)

    def _facts(self, version: Identity, parts: Parts) -> VersionFacts | None:
        if not parts:
            return VersionFacts(version.version)
        kept = self._kept[version]
        return kept.facts if parts <= kept.parts else None

    def _is_due(self, version: Identity, kept: _Kept, now: float) -> bool:
        if not kept.wanted(version) <= kept.parts:
            return True
        return kept.held and (kept.hints > kept.hints_followed or now >= kept.reread_at)

    def _drop(self, key: Key, version: Identity) -> None:
        kept = self._kept[version]
        kept.asked_by.pop(key, None)
        if not kept.asked_by:
            del self._kept[version]
            self._backoff.forget(version)
