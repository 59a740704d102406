"""One poll of one registry: the fewest requests that answer everything watched.

A search answers with every alias and stage but neither sources nor tags of what an alias points at:
what moved is read by requests of its own.

Whatever is answered about one model is that model's state and no other's. That the registry itself
is in trouble is concluded only where it does not answer what concerns no model either.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError, TooSlowError
from pennant_operator.observe.poll.asked_twice import asked_twice, error_or
from pennant_operator.observe.poll.few_at_once import few_at_once
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.last_good import GoodQuestion, last_good
from pennant_operator.observe.poll.lookup import Lookup, loop_time
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.together import Together, ask_together
from pennant_operator.observe.poll.unresolved import NotResolvedError, unresolved
from pennant_operator.observe.poll.version_facts import Identity, version_facts

LOG = logging.getLogger(__name__)
T = TypeVar("T")
# Is called with the names that one request asked for, and with what there is of these.
Listed: TypeAlias = Callable[[Set[str], Mapping[str, RegisteredModel]], None]


@dataclass(frozen=True)
class Poll:
    """Brings what is known up to date over one connection."""

    registry: Registry
    server_version: str
    known: Known
    recorded: Callable[[Watch, Pointed], bool] = lambda _watch, _at: False
    listed: Listed = lambda _searched, _models: None
    clock: Callable[[], float] = field(default=loop_time)

    async def ask(
        self, watches: Iterable[Watch], answered: Callable[[Watch], None] = lambda _: None
    ) -> None:
        """Answer these; raises RegistryTroubleError for trouble with the registry itself.

        `answered` is called with each as soon as it is: who waits for the first of a hundred that
        moved does not wait for the last. What did not come in time is asked for last, and less
        often.
        """
        tardy, now = self.known.tardy, self.clock()
        of_model: dict[str, list[Watch]] = {}
        for watch in sorted(watches, key=str):
            if not tardy.rests(watch.model, now):
                of_model.setdefault(watch.model, []).append(watch)
        if not of_model:
            await self.registry.ping()
        prompt = {model for model in of_model if model not in tardy}
        listed = await ask_together(self.registry, prompt, self.server_version, self.known, now)
        self.listed(listed.searched, listed.models)
        asking = _Asking(self, listed)

        async def one(model: str) -> None:
            await asking.about(model, of_model[model])
            for watch in of_model[model]:
                answered(watch)

        await few_at_once(one, sorted(of_model, key=tardy.__contains__))

    async def ask_gate_facts(
        self, versions: Iterable[Identity], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask what gates want to know of these; raises RegistryTroubleError likewise.

        `announce` is called with those for whom there is something new, as soon as it is known.
        """
        read = partial(version_facts, self.registry, self.known.resolved)

        async def one(version: Identity) -> None:
            concerned = await self.known.gate_facts.ask(version, read, self.clock())
            self.known.retagged(version.name, version.version)
            announce(concerned)

        await few_at_once(one, versions)

    async def ask_served(
        self, versions: Iterable[Identity], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask whether these are still there; likewise. Of one that is hidden nothing is known."""

        async def one(version: Identity) -> None:
            async def created() -> int | None:
                entry = await self.registry.version(version.name, version.version)
                return None if entry is None else entry.created

            ask = partial(self.known.served.ask, version, created)
            news = await error_or(ask)
            if isinstance(news, RegistryTroubleError):
                news = await asked_twice(self.registry, ask, news)
            if isinstance(news, RegistryTroubleError):
                self.known.served.not_answered(version)
                LOG.warning("version %s of %s: %s", version.version, version.name, news)
            elif isinstance(news, Exception):
                raise news
            else:
                announce(news)

        await few_at_once(one, versions)

    async def ask_last_good(
        self, questions: Iterable[GoodQuestion], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask which versions served well before; likewise. Where that is not told there is none."""

        async def one(question: GoodQuestion) -> None:
            ask = partial(last_good, self.registry, question)
            version = await error_or(ask)
            if isinstance(version, RegistryTroubleError):
                version = await asked_twice(self.registry, ask, version)
            if isinstance(version, RegistryTroubleError):
                LOG.warning("tags of %s: %s", question.model, version)
                version = None
            if isinstance(version, Exception):
                raise version
            announce(self.known.last_good.answered(question, version))

        await few_at_once(one, questions)


class _Asking:
    """What is asked by itself in one poll."""

    def __init__(self, poll: Poll, listed: Together) -> None:
        self._registry, self._known, self._clock = poll.registry, poll.known, poll.clock
        self._lookup = Lookup(poll.registry, poll.known, poll.recorded, poll.clock)
        self._listed = listed
        self._answers = bool(listed.searched)  # it answered something

    async def about(self, model: str, watches: Sequence[Watch]) -> None:
        """One model, and what each watch of it wants to know besides."""
        alone, registered = model not in self._listed.searched, self._listed.models.get(model)
        if alone:
            answer = await self._surely(partial(self._registry.model, model), watches)
            if isinstance(answer, Exception):
                self._blame(watches, answer)
                return
            registered = answer
        for watch in watches:
            compare = partial(self._lookup.compare, watch, registered, alone=alone)
            error = await self._surely(compare, [watch])
            if error is None:
                self._answers = True
                continue
            self._blame([watch], error)
            if isinstance(error, TooSlowError):
                return  # the others of this model wait with it
        self._known.tardy.answered(model)

    async def _surely(
        self, ask: Callable[[], Awaitable[T]], watches: Sequence[Watch]
    ) -> T | Exception:
        """The answer, or the error that is about these alone; raises RegistryTroubleError where it
        is the registry's.

        Where just this is shown already, it is no news.
        """
        failed = await error_or(ask)
        if not isinstance(failed, Exception):
            return failed
        answer: T | Exception = failed
        if self._news(watches, failed):
            answer = await asked_twice(self._registry, ask, failed)
        elif not self._answers:
            await self._registry.ping()
        self._answers = True
        return answer

    def _news(self, watches: Sequence[Watch], error: Exception) -> list[Watch]:
        """Those of which an error tells what was not known."""
        return [w for w in watches if not self._known.knows(w, unresolved(w, error), self._clock())]

    def _blame(self, watches: Sequence[Watch], error: Exception) -> None:
        """Take in what is about these alone."""
        if not isinstance(error, RegistryTroubleError):
            LOG.error("%s: the operator fails on an answer", watches[0].model, exc_info=error)
        model, tardy = watches[0].model, self._known.tardy
        if isinstance(error, TooSlowError):
            if model not in tardy:  # once is no answer: not even where nothing is known yet
                watches = [watch for watch in watches if self._known.state(watch) is not None]
            tardy.failed(model, self._clock())
        for watch in self._news(watches, error):
            LOG.warning("registry %s: %s", watch.registry, unresolved(watch, error).message)
        for watch in watches:
            what = unresolved(watch, error)
            if isinstance(error, NotResolvedError):
                self._known.unresolved(watch, what, error.at, error.stamp, self._clock())
            else:
                self._known.doubted(watch, what, self._clock())
