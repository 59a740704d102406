"""Asks for many models in few requests, though one of them may spoil what is asked together."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import partial

from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError, TooSlowError
from pennant_operator.observe.poll.asked_twice import asked_twice, error_or
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.strategy import ASKED_SINGLY_LIMIT, Strategy, strategy

ASKED_APART_SECONDS = 3600.0  # that a model which spoiled a search is asked for by itself
SLOW_SEARCHES_LIMIT = 8  # searches of one poll that may not be answered in time; no more are tried


@dataclass
class Together:
    """What was asked for together, and found; all else is to be asked for by itself."""

    searched: set[str] = field(default_factory=set)
    models: dict[str, RegisteredModel] = field(default_factory=dict)
    slow: int = 0  # searches that were not answered in time


async def ask_together(
    registry: Registry, models: Set[str], server_version: str, known: Known, now: float
) -> Together:
    """The cheapest way to ask for these; raises RegistryTroubleError for the registry's own."""
    known.apart = {
        k: since for k, since in known.apart.items() if now < since + ASKED_APART_SECONDS
    }
    how, walked = await _walked(registry, models - known.apart.keys(), server_version, known)
    if how.walk:
        return Together(set(how.listed), walked)
    together = Together()
    if how.listed:
        await _search(registry, how.listed, together)
    known.apart |= dict.fromkeys(set(how.listed) - together.searched, now)
    return together


async def _walked(
    registry: Registry, models: Set[str], server_version: str, known: Known
) -> tuple[Strategy, dict[str, RegisteredModel]]:
    """All there are, where that is the cheapest; else how these are asked for."""
    while True:
        how = strategy(models, server_version, known.size)
        if not how.walk:
            return how, {}
        walk = partial(registry.walk, how.walk)
        walked = await error_or(walk)
        if isinstance(walked, RegistryTroubleError):
            walked = await asked_twice(registry, walk, walked)
        if isinstance(walked, RegistryTroubleError):
            known.size = how.walk + 1  # it comes to no end that pays
            continue
        if isinstance(walked, Exception):
            raise walked
        known.size = len(walked)
        if len(walked) <= how.walk:
            return how, walked


async def _search(registry: Registry, names: Sequence[str], into: Together) -> None:
    """Search for these, and for each half where that fails; the last few are left out."""
    try:
        into.models |= await registry.search(names)
        into.searched |= set(names)
    except RegistryTroubleError as error:
        await registry.ping()  # or it is not about these
        into.slow += isinstance(error, TooSlowError)
        if len(names) > ASKED_SINGLY_LIMIT and into.slow < SLOW_SEARCHES_LIMIT:
            half = len(names) // 2
            await _search(registry, names[:half], into)
            await _search(registry, names[half:], into)
