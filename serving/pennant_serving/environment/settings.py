"""Where the packages of a bundle come from, as the operator renders it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pennant_serving.environ import Environ, SettingsError, http_address
from pennant_serving.environment.overlay import ENVIRONMENTS
from pennant_serving.environment.pins import Pin, decode


@dataclass(frozen=True)
class PackageIndexes:
    """The indexes, the one that is asked first at the front, and who asks."""

    urls: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    """PEM: whom to trust beside the system's authorities, for the registry's sake or for theirs."""


@dataclass(frozen=True)
class PinnedEnvironment:
    """What the first pods of the revision ended with."""

    digest: str
    python: str
    pins: tuple[Pin, ...]


@dataclass(frozen=True)
class BundleEnvironment:
    """The bundle's own packages are asked for."""

    indexes: PackageIndexes
    pinned: PinnedEnvironment | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    """The operator's by their Python."""

    @classmethod
    def from_env(cls, env: Environ) -> BundleEnvironment | None:
        """None when the image's are asked for. Raises SettingsError, naming the variable."""
        if env.choice("PENNANT_ENVIRONMENT", "Image", ENVIRONMENTS) == "Image":
            return None
        indexes = PackageIndexes(
            urls=(http_address("PENNANT_INDEX_URL", env.text("PENNANT_INDEX_URL")), *_more(env)),
            username=env.secret("PENNANT_INDEX_USERNAME"),
            password=env.secret("PENNANT_INDEX_PASSWORD"),
            ca=env.file("PENNANT_REGISTRY_CA"),
        )
        return cls(indexes, _pinned(env), _images(env))


def _images(env: Environ) -> dict[str, str]:
    listed = (env.optional("PENNANT_SERVING_IMAGES") or "").split(",")
    parts = (entry.partition("=") for entry in listed)
    return {python: image for python, _, image in parts if image}


def _more(env: Environ) -> list[str]:
    name = "PENNANT_EXTRA_INDEX_URLS"
    return [http_address(name, url) for url in (env.optional(name) or "").split()]


def _pinned(env: Environ) -> PinnedEnvironment | None:
    text = env.optional("PENNANT_PINNED_ENVIRONMENT")
    if text is None:
        return None
    try:
        content = json.loads(text)
        digest, python, pins = (str(content[key]) for key in ("digest", "python", "pins"))
        return PinnedEnvironment(digest, python, decode(pins))
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise SettingsError(
            f"PENNANT_PINNED_ENVIRONMENT is not what a fetch reported or a lock says: {error}"
        ) from error
