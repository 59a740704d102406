"""MLflow's objects as the operator understands them; JSON of another shape is trouble."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_registry.names import (
    TAG_ENVIRONMENT,
    TAG_HOLD,
    TAG_IMAGE,
    TAG_PROMOTED_AS,
    TAG_PROMOTED_AT,
    TAG_PROMOTED_BY,
    TAG_SHA256,
)
from pennant_registry.sources import logged_model

_VERSION = re.compile(r"[1-9][0-9]{0,18}")
_MOVES = tuple(f"{tag}." for tag in (TAG_PROMOTED_BY, TAG_PROMOTED_AT, TAG_PROMOTED_AS))


@dataclass(frozen=True)
class RegisteredVersion:
    """A version, before it is known where its bytes are."""

    name: str
    version: str
    created: int
    source: str
    sha256: str | None = None
    image: str | None = None
    environment: str | None = None
    stage: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    model_id: str = ""  # of MLflow 3's logged model

    @property
    def moves(self) -> dict[str, str]:
        """What `promote` wrote on it."""
        return {name: value for name, value in self.tags.items() if name.startswith(_MOVES)}


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model: where its aliases point, the highest version in each stage, holds."""

    created: int
    updated: int  # moves with versions and stages, not with aliases
    aliases: dict[str, str]
    stages: dict[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)  # those of holds


def registered(model: dict[str, Any]) -> RegisteredModel:
    """MLflow's registered_model object."""
    latest = model.get("latest_versions", ())
    return RegisteredModel(
        created=int(model["creation_timestamp"]),
        updated=int(model.get("last_updated_timestamp", 0)),
        aliases={a["alias"]: _number(a["version"]) for a in model.get("aliases", ())},
        stages={v.get("current_stage", ""): _number(v["version"]) for v in latest},
        tags={k: v for k, v in _tags(model).items() if k.startswith(f"{TAG_HOLD}.")},
    )


def version(entry: dict[str, Any]) -> RegisteredVersion:
    """MLflow's model_version object, if it is one."""
    created, name, number = entry["creation_timestamp"], entry["name"], _number(entry["version"])
    if not isinstance(name, str):
        raise TypeError(f"a version of {name!r}")
    tags = _tags(entry)
    source = str(entry.get("source", ""))
    return RegisteredVersion(
        name,
        number,
        int(created),
        source,
        sha256=tags.get(TAG_SHA256) or None,
        image=tags.get(TAG_IMAGE) or None,
        environment=tags.get(TAG_ENVIRONMENT) or None,
        stage=str(entry.get("current_stage", "")),
        tags=tags,
        run_id=str(entry.get("run_id") or ""),
        model_id=str(entry.get("model_id") or "") or logged_model(source) or "",
    )


def retagged(version: ModelVersion, now: RegisteredVersion | ModelVersion) -> ModelVersion:
    """With what its tags say by now of how it runs; where its bytes are stays."""
    return replace(version, image=now.image, environment=now.environment, moves=now.moves)


def _tags(entry: dict[str, Any]) -> dict[str, str]:
    return {str(tag["key"]): str(tag.get("value") or "") for tag in entry.get("tags", ())}


def metrics(entries: Iterable[Any]) -> dict[str, float]:
    """By name; what MLflow writes as a text is not a number, or has no end."""
    return {str(each["key"]): float(each["value"]) for each in entries}


def models(page: list[Any]) -> dict[str, RegisteredModel]:
    """Those of a page of a search, by name; what is none is left out, as if it were not there.

    Who follows it asks for it by itself, and is told what is wrong with it.
    """
    by_name = dict[str, RegisteredModel]()
    for each in page:
        with suppress(RegistryTroubleError), understood():
            by_name[each["name"]] = registered(each)
    return by_name


def listed(answer: dict[str, Any], items: str) -> list[Any]:
    """What a page lists under this name; RegistryTroubleError where that is no list."""
    entries = answer.get(items, [])
    if not isinstance(entries, list):
        raise _unknown(f"{items} is {entries!r:.40}")
    return entries


def next_page(answer: dict[str, Any]) -> str:
    """What to ask for the page after this one; empty when it is the last."""
    token = answer.get("next_page_token") or ""
    if not isinstance(token, str):
        raise _unknown(f"next_page_token is {token!r:.40}")
    return token


def _unknown(what: str) -> RegistryTroubleError:
    return RegistryTroubleError(
        f"MLflow's answer is not what the operator knows ({what}): see that spec.url is MLflow's "
        "own address, and which version it is."
    )


def _number(given: Any) -> str:
    """A version's number, as MLflow has them: never 0, and never with a zero or sign before."""
    if not _VERSION.fullmatch(str(given)):
        raise ValueError(f"{str(given)[:40]!r} is no version number")
    return str(given)


@contextmanager
def understood() -> Iterator[None]:
    """JSON of another shape than MLflow's is no answer; it must not end the operator either."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _unknown(f"{error!r:.200}") from error
