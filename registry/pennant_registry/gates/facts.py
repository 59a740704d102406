"""What gates are asked about: a version's metrics and tags, and what its bundle says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pennant_registry.names import TAG_FLAVORS, TAG_SIGNATURE, TAG_VALUE_LIMIT

NONE = "none"  # what the tags of `register` say of a bundle that has no flavors, or no signature


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What an MLmodel file says; what is no MLflow model has no flavors and no signature."""

    flavors: tuple[str, ...] = ()
    signature: Mapping[str, Any] | None = None  # inputs and params, each a list as MLflow has it

    def tags(self) -> tuple[str, str | None]:
        """Values of the tags `pennant.flavors` and `pennant.signature`; None: it is too long."""
        signature = json.dumps(self.signature, separators=(",", ":")) if self.signature else NONE
        fits = len(signature) <= TAG_VALUE_LIMIT
        return ",".join(self.flavors) or NONE, signature if fits else None


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A version as gates see it."""

    version: str
    # Of each, a text: why it is not known. Metrics are its logged model's, else its run's.
    metrics: Mapping[str, float] | str = field(default_factory=dict)
    tags: Mapping[str, str] | str = field(default_factory=dict)
    bundle: BundleFacts | str = "nobody asked"


def bundle_facts(mlmodel: Mapping[str, Any]) -> BundleFacts:
    """Of an MLmodel file that was parsed. Raises ValueError where it is none."""
    flavors, signature = mlmodel.get("flavors"), mlmodel.get("signature") or {}
    if not isinstance(flavors, Mapping) or not isinstance(signature, Mapping):
        raise ValueError(  # noqa: TRY004 - of a text, not of an argument
            "the MLmodel file has no flavors, or a signature that is no mapping"
        )
    parts = {part: _listed(signature.get(part), part) for part in ("inputs", "params")}
    given = {part: fields for part, fields in parts.items() if fields is not None}
    return BundleFacts(tuple(sorted(map(str, flavors))), given or None)


def tagged_or_why(tags: Mapping[str, str], unread: str) -> BundleFacts | str:
    """By the tags of `register`, where the MLmodel file is not to be had; else why nobody knows."""
    try:
        known = tagged(tags.get(TAG_FLAVORS), tags.get(TAG_SIGNATURE))
    except (ValueError, RecursionError) as error:
        return f"the tag {TAG_SIGNATURE} cannot be read: {error}"
    return known or f"its MLmodel file could not be read: {unread}"


def tagged(flavors: str | None, signature: str | None) -> BundleFacts | None:
    """What the tags of `register` say; None where they do not say all. Raises ValueError."""
    if not flavors or not signature:
        return None
    named = () if flavors == NONE else tuple(flavors.split(","))
    if signature == NONE:
        return BundleFacts(named)
    parts = json.loads(signature)
    if not isinstance(parts, dict):
        raise ValueError("the tag pennant.signature is no mapping")  # noqa: TRY004 - likewise
    return BundleFacts(named, {part: _fields(each, part) for part, each in parts.items()})


def _listed(text: Any, part: str) -> list[dict[str, Any]] | None:
    return None if text is None else _fields(json.loads(text), part)


def _fields(fields: Any, part: str) -> list[dict[str, Any]]:
    if not isinstance(fields, list) or not all(isinstance(each, dict) for each in fields):
        raise ValueError(f"the signature's {part} are no list of fields")
    return fields
