"""Asks about one watch by itself, where what is known of its model says something new."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion, retagged
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.filters import quotable
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.absence import missing_version, nothing_there
from pennant_operator.observe.poll.known import Known, Stamp
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.unresolved import NotResolvedError
from pennant_registry.hold_form import NO_HOLDS, Holds, holds_among
from pennant_registry.names import stage_suffix


def loop_time() -> float:
    """Seconds by a clock that nobody sets."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Lookup:
    """One registry's; `recorded` says whether everybody concerned has a record of a version."""

    registry: Registry
    known: Known
    recorded: Callable[[Watch, Pointed], bool]
    clock: Callable[[], float]

    async def compare(self, watch: Watch, model: RegisteredModel | None, *, alone: bool) -> None:
        """Take in what is known of its model, which was asked for `alone` or with others.

        Raises RegistryTroubleError.
        """
        if model is not None:
            self.known.served.updated(watch.model, model.updated)
            await self._take_holds(watch, model, alone=alone)
        nothing = nothing_there(watch, model)
        if nothing is not None:
            await self._missing(watch, nothing, alone=alone)
        elif model is not None:
            stamp = _stamp(watch, model)
            if self.known.is_answered(watch, stamp, self.clock()):
                self.known.confirmed(watch)
            elif self._is_recorded(watch, model):
                at = Pointed(model.created, _number(watch, model))
                self.known.answered(watch, at, stamp)
            else:
                await self._find(watch, model, stamp)

    async def _take_holds(self, watch: Watch, model: RegisteredModel, *, alone: bool) -> None:
        """A page may come without tags, and ends no hold: its model says so by itself."""
        holds, before = _holds(watch, model), self.known.holds.get(watch)
        if before is None:
            ended = watch in self.known.held_before and not holds.keys
        else:
            ended = not before.keys <= holds.keys
        if ended and not alone:
            asked = await self.registry.model(watch.model)
            if asked is None:
                return
            holds = _holds(watch, asked)
        self.known.holds[watch] = holds

    async def _missing(self, watch: Watch, nothing: Absent, *, alone: bool) -> None:
        """Pages are by offset: a model may slip between two of them, but not out of one answer."""
        answer, now = self.known.answer(watch), self.clock()
        if answer.state == nothing:
            self.known.confirmed(watch)
            return
        doubt = answer.doubt
        news = doubt is None or not doubt.same(nothing) or now >= doubt.until
        if alone:
            self.known.doubted(watch, nothing, now)
        elif news:
            await self.compare(watch, await self.registry.model(watch.model), alone=True)

    def _is_recorded(self, watch: Watch, model: RegisteredModel) -> bool:
        """Before anything else is known of a watch: after a restart."""
        if watch.stage is not None or isinstance(self.known.state(watch), ModelVersion | Absent):
            return False
        return self.recorded(watch, Pointed(model.created, _number(watch, model)))

    async def _find(self, watch: Watch, model: RegisteredModel, stamp: Stamp) -> None:
        """Take the version that is desired now."""
        if watch.stage is not None and quotable(watch.model):
            versions = await self.registry.in_stage(watch.model, watch.stage)
        else:
            one = await self.registry.version(watch.model, _number(watch, model))
            versions = [one] if one else []
        if versions:
            await self._resolve(watch, model, stamp, *versions)
        elif watch.version is not None:
            await self._missing(watch, missing_version(watch), alone=True)
        # Else it moved between two questions: the next poll sees where to.

    async def _resolve(
        self,
        watch: Watch,
        model: RegisteredModel,
        stamp: Stamp,
        entry: RegisteredVersion,
        *others: RegisteredVersion,
    ) -> None:
        """Where the version's bytes are; `others` are beside it in its stage."""
        identity = (entry.name, entry.version, entry.created)
        if identity not in self.known.resolved:
            try:
                self.known.resolved[identity] = await self.registry.resolve(entry)
            except RegistryTroubleError as error:
                at = Pointed(model.created, entry.version)
                raise NotResolvedError(at, stamp, error) from error
        # Where its bytes are stays; its image may have been named since others ran it.
        resolved = retagged(self.known.resolved[identity], entry)
        self.known.resolved[identity] = resolved
        beside = tuple(other.version for other in others)
        version = replace(resolved, beside=beside, registered=model.created)
        self.known.answered(watch, version, stamp)


def _holds(watch: Watch, model: RegisteredModel) -> Holds:
    """Those that are on what is watched; nobody holds a version that a spec names."""
    if watch.version is not None or not model.tags:
        return NO_HOLDS  # one for all of thousands
    suffix = watch.alias if watch.stage is None else stage_suffix(watch.stage)
    return holds_among(model.tags, str(suffix))


def _stamp(watch: Watch, model: RegisteredModel) -> Stamp:
    """What must change before a watch is asked for by itself again.

    A model that was deleted and made again starts at version 1 again. The other versions of a
    stage come and go without its highest one, and then the model's own time stamp moves.
    """
    if watch.stage is not None:
        return model.created, model.updated, _number(watch, model)
    return model.created, 0, _number(watch, model)


def _number(watch: Watch, model: RegisteredModel) -> str:
    """The version that is desired by what is known of its model, which has one."""
    if watch.version is not None:
        return watch.version
    return model.stages[watch.stage] if watch.stage else model.aliases[str(watch.alias)]
