"""One poll of one registry: the fewest requests that answer everything watched.

A search answers with every alias and stage but neither sources nor tags of what an alias points at:
what moved is read by requests of its own. That nothing is there is believed only when such a
request says so too (law 2): pages are by offset, so a model may slip between two of them.
"""

import logging
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pennant_operator.decide.observed import Absent, ModelVersion
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.absence import (
    missing_version,
    not_allowed,
    nothing_there,
    unresolved,
)
from pennant_operator.observe.answers import Found, Registered
from pennant_operator.observe.few_at_once import few_at_once
from pennant_operator.observe.filters import quotable
from pennant_operator.observe.recorded import Pointed
from pennant_operator.observe.registry import Registry
from pennant_operator.observe.strategy import Strategy, strategy
from pennant_operator.observe.trouble import NotAllowedError, RegistryTroubleError

LOG = logging.getLogger(__name__)

Answer = ModelVersion | Absent
Stamp: TypeAlias = tuple[int, int, str]


@dataclass
class Known:
    """What a registry answered so far; it outlives connections and outages."""

    answers: dict[Watch, Answer] = field(default_factory=dict)
    # Where nothing more was asked: everybody who watches it has a record of this version.
    pointed: dict[Watch, Pointed] = field(default_factory=dict)
    unresolved: dict[Watch, str] = field(default_factory=dict)  # found, but not where its bytes are
    size: int = 0  # registered models that there are at least, as of the last walk
    resolved: dict[tuple[str, str, int], ModelVersion] = field(default_factory=dict)
    stamps: dict[Watch, Stamp] = field(default_factory=dict)  # as of the answer

    def forget_all_but(self, watches: set[Watch]) -> None:
        """Drop what nobody watches any more."""
        for table in (self.answers, self.pointed, self.unresolved, self.stamps):
            for watch in table.keys() - watches:
                del table[watch]
        models = {watch.model for watch in watches}
        self.resolved = {k: v for k, v in self.resolved.items() if k[0] in models}


@dataclass(frozen=True)
class Poll:
    """Brings what is known up to date over one connection."""

    registry: Registry
    server_version: str
    known: Known
    recorded: Callable[[Watch, Pointed], bool] = lambda _watch, _at: False

    async def ask(
        self, watches: Iterable[Watch], answered: Callable[[Watch], None] = lambda _: None
    ) -> None:
        """Answer these; raises RegistryTroubleError, and then every earlier answer stands.

        `answered` is told of each as soon as it is: who waits for the first of a hundred that
        moved does not wait for the last.
        """
        of_model: dict[str, list[Watch]] = {}
        for watch in sorted(watches, key=str):
            of_model.setdefault(watch.model, []).append(watch)
        how, listed = await self._listed(of_model.keys())
        answers = bool(how.listed)

        async def one(name: str) -> None:
            nonlocal answers
            try:
                single = name in how.singly
                model = await self.registry.model(name) if single else listed.get(name)
                for watch in of_model[name]:
                    await self._compare(watch, model)
            except NotAllowedError as error:
                if not answers:
                    await self.registry.ping()  # or the account may see nothing at all
                answers = True
                self._hidden(of_model[name], error)
            for watch in of_model[name]:
                answered(watch)

        await few_at_once(one, of_model)

    def _hidden(self, watches: Iterable[Watch], error: NotAllowedError) -> None:
        """One model that nobody gave the account is no reason to know nothing of the others."""
        for watch in watches:
            if watch not in self.known.answers and watch not in self.known.pointed:
                LOG.warning("%s: %s", watch.model, error)
                self.known.unresolved[watch] = not_allowed(watch)

    async def _listed(self, models: Set[str]) -> tuple[Strategy, dict[str, Registered]]:
        """How these are asked for, and what is asked for together."""
        while True:
            how = strategy(models, self.server_version, self.known.size)
            if not how.walk:
                return how, await self.registry.search(how.listed) if how.listed else {}
            found = await self.registry.walk(how.walk)
            self.known.size = len(found)
            if len(found) <= how.walk:
                return how, found

    async def _compare(
        self, watch: Watch, model: Registered | None, *, confirmed: bool = False
    ) -> None:
        """Ask for one watch by itself, only where what is known of its model says something new."""
        nothing = nothing_there(watch, model)
        if nothing is not None:
            if confirmed:
                self._nothing(watch, nothing)
            elif nothing != self.known.answers.get(watch):
                again = await self.registry.model(watch.model)
                await self._compare(watch, again, confirmed=True)
        elif model is not None:
            stamp = _stamp(watch, model)
            if self.known.stamps.get(watch) == stamp:
                return
            if self._is_recorded(watch, model) or await self._find(watch, model):
                self.known.stamps[watch] = stamp

    def _is_recorded(self, watch: Watch, model: Registered) -> bool:
        """Before anything else is known of a watch: after a restart."""
        at = Pointed(model.created, _number(watch, model))
        if watch.stage is not None or watch in self.known.answers or not self.recorded(watch, at):
            return False
        self.known.pointed[watch] = at
        return True

    async def _find(self, watch: Watch, model: Registered) -> bool:
        """Take the version that is desired now; False when it is to be asked for again."""
        if watch.stage is not None and quotable(watch.model):
            found = await self.registry.in_stage(watch.model, watch.stage)
        else:
            found = await self._version(watch.model, _number(watch, model))
        if found:
            return await self._resolve(watch, model, *found)
        if watch.version is not None:
            self._nothing(watch, missing_version(watch))
        return False  # it moved between two questions: the next poll sees where

    async def _version(self, model: str, number: str) -> list[Found]:
        ask = self.registry.version
        found = await ask(model, number) or await ask(model, number)
        return [found] if found else []

    def _nothing(self, watch: Watch, found: Absent) -> None:
        self.known.answers[watch] = found
        self.known.pointed.pop(watch, None)
        self.known.unresolved.pop(watch, None)
        self.known.stamps.pop(watch, None)

    async def _resolve(self, watch: Watch, of: Registered, found: Found, *others: Found) -> bool:
        """Where the version's bytes are; `others` are beside it in its stage."""
        model, number = found["name"], str(found["version"])
        identity = (model, number, int(found["creation_timestamp"]))
        try:
            if identity not in self.known.resolved:
                self.known.resolved[identity] = await self.registry.resolve(found)
        except RegistryTroubleError as error:
            # One version's run may be deleted or out of bounds while the others are well.
            LOG.warning("version %s of %s cannot be resolved: %s", number, model, error)
            self.known.unresolved[watch] = unresolved(watch, number, str(error))
            return False
        self.known.unresolved.pop(watch, None)
        beside = tuple(str(other["version"]) for other in others)
        self.known.pointed.pop(watch, None)
        self.known.answers[watch] = replace(
            self.known.resolved[identity], beside=beside, registered=of.created
        )
        return True


def _stamp(watch: Watch, model: Registered) -> Stamp:
    """What must change before a watch is asked for by itself again.

    A model that was deleted and made again starts at version 1 again. The other versions of a
    stage come and go without its highest one, and then the model's own time stamp moves.
    """
    if watch.stage is not None:
        return model.created, model.updated, _number(watch, model)
    return model.created, 0, _number(watch, model)


def _number(watch: Watch, model: Registered) -> str:
    """The version that is desired by what is known of its model, which has one."""
    if watch.version is not None:
        return watch.version
    return model.stages[watch.stage] if watch.stage else model.aliases[str(watch.alias)]
