"""Asks what gates want to know of one version.

Whatever MLflow answers is that version's facts, be it that something cannot be known. That the
registry itself is in trouble is concluded only where it does not answer what concerns no version.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Set
from enum import Enum, auto
from functools import partial
from typing import NamedTuple, TypeVar

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.observe.mlflow.answers import RegisteredVersion, retagged
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.body import TooLongError
from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NoFileError,
    RegistryTroubleError,
    cause,
)
from pennant_operator.observe.poll.asked_twice import asked_twice, error_or
from pennant_registry.gates import BundleFacts, VersionFacts
from pennant_registry.gates.facts import tagged_or_why
from pennant_registry.gates.mlmodel import MLMODEL, MLMODEL_LIMIT_BYTES, TOO_LONG, read_mlmodel
from pennant_registry.sources import DEFAULT_ALLOWED, problem, proxied_path

LOG = logging.getLogger(__name__)
T = TypeVar("T")
REASON_CHARACTERS_LIMIT = 300  # characters of why something of a version is not known
GONE = "the registry does not have it any more"
_OF_THE_VERSION = MlflowRefusedError, NoFileError, ValueError  # no trouble of a registry is one


class Identity(NamedTuple):
    """A version; `created` is 0 where that is not known."""

    name: str
    version: str
    created: int


class Part(Enum):
    """What may be asked of a version besides whether it is there."""

    TAGS = auto()
    METRICS = auto()
    BUNDLE = auto()


async def version_facts(
    registry: Registry,
    resolved: MutableMapping[tuple[str, str, int], ModelVersion],
    of: Identity,
    parts: Set[Part],
) -> VersionFacts:
    """These parts, in up to five requests; raises RegistryTroubleError for the registry's own.

    What its tags say of its image and its packages is taken into what was resolved of it.
    """
    entry = await _answer_or_why(registry, of, partial(registry.version, of.name, of.version))
    if entry is None:
        entry = GONE
    elif isinstance(entry, RegisteredVersion) and of.created not in {0, entry.created}:
        entry = GONE  # the model was deleted and made again, and numbers begin at 1 again
    if isinstance(entry, str):
        return VersionFacts(of.version, entry, entry, entry)
    identity = (entry.name, entry.version, entry.created)
    if identity in resolved:
        resolved[identity] = retagged(resolved[identity], entry)
    metrics: dict[str, float] | str = {}
    if Part.METRICS in parts:
        metrics = await _answer_or_why(registry, of, partial(_metrics, registry, entry))
    bundle: BundleFacts | str = "nobody asked"
    if Part.BUNDLE in parts:
        bundle = await _answer_or_why(registry, of, partial(_mlmodel, registry, resolved, entry))
        if isinstance(bundle, str):
            bundle = tagged_or_why(entry.tags, bundle)
    return VersionFacts(of.version, metrics, entry.tags, bundle)


async def _answer_or_why(
    registry: Registry, of: Identity, ask: Callable[[], Awaitable[T]]
) -> T | str:
    """The answer, or why there is none where that is not the registry's own trouble."""
    answer = await error_or(ask)
    if isinstance(answer, Exception) and not isinstance(answer, _OF_THE_VERSION):
        answer = await asked_twice(registry, ask, answer)
    if not isinstance(answer, Exception):
        return answer
    if isinstance(answer, ValueError):  # of what a file says
        return str(answer)[:REASON_CHARACTERS_LIMIT]
    if not isinstance(answer, RegistryTroubleError):
        LOG.error("%s: the operator fails on an answer", of.name, exc_info=answer)
    return cause(answer)[:REASON_CHARACTERS_LIMIT]


async def _metrics(registry: Registry, entry: RegisteredVersion) -> dict[str, float]:
    """Those of its run, and over them those of its logged model."""
    metrics: dict[str, float] = {}
    if entry.run_id:
        metrics |= await registry.metrics_of_run(entry.run_id)
    if entry.model_id:
        metrics |= await registry.metrics_of_model(entry.model_id)
    return metrics


async def _mlmodel(
    registry: Registry,
    resolved: MutableMapping[tuple[str, str, int], ModelVersion],
    entry: RegisteredVersion,
) -> BundleFacts:
    """Of the file as the registry hands it out; credentials go to no other server."""
    identity = (entry.name, entry.version, entry.created)
    if identity not in resolved:
        resolved[identity] = await registry.resolve(entry)
    source = resolved[identity].source
    path = proxied_path(source)
    if path is None or problem(source, DEFAULT_ALLOWED) is not None:
        scheme = source.partition(":")[0][:20]
        raise ValueError(f"its files are in {scheme}:, not behind the registry's server")
    try:
        text = await registry.file(f"{path.rstrip('/')}/{MLMODEL}", MLMODEL_LIMIT_BYTES)
    except RegistryTroubleError as error:
        if isinstance(error.__cause__, TooLongError):
            raise ValueError(TOO_LONG) from error  # noqa: TRY004 - of what a file says
        raise
    return await asyncio.to_thread(read_mlmodel, text)
