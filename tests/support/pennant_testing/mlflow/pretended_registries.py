"""Registries for polls in memory, whose searches leave models out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion
from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NotAllowedError,
    RegistryTroubleError,
    TooSlowError,
)
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.poll_answers import answers

MODELS = [f"m{number}" for number in range(6)]
WATCHES = [Watch("default", name, alias="production") for name in MODELS]
ERRORS = {
    "400": MlflowRefusedError("400 INVALID_PARAMETER_VALUE: Invalid value"),
    "403": NotAllowedError("403"),
    "500": RegistryTroubleError("http://mlflow answers 500, and not as MLflow does: 'boom'."),
    "slow": TooSlowError("http://mlflow did not answer within 5 s."),
    "a fault": KeyError("of our own"),
}
BAD = WATCHES[2]


class SkippingRegistry:
    """A registry whose searches miss some models, and whose single answers are true."""

    def __init__(self, aliases: dict[str, str], skipped: set[str]) -> None:
        self.aliases = aliases
        self.skipped = skipped
        self.tags: dict[str, dict[str, str]] = {}  # of each model
        self.image: str | None = None  # that the tags of all versions name
        self.pages_lack_tags = False

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        asked = {name: self._registered(name) for name in models if name not in self.skipped}
        if self.pages_lack_tags:
            return {name: replace(model, tags={}) for name, model in asked.items()}
        return asked

    async def walk(self, limit: int) -> dict[str, RegisteredModel]:
        return await self.search(MODELS)

    async def model(self, name: str) -> RegisteredModel:
        return self._registered(name)

    async def version(self, model: str, number: str) -> RegisteredVersion:
        return RegisteredVersion(model, number, 1, "", image=self.image)

    async def resolve(self, version: RegisteredVersion) -> ModelVersion:
        source = "mlflow-artifacts:/x"
        return ModelVersion(version.name, version.version, 1, source, image=version.image)

    async def ping(self) -> None:
        """It answers."""

    def _registered(self, name: str) -> RegisteredModel:
        aliases = {"production": self.aliases[name]} if name in self.aliases else {}
        tags = self.tags.get(name, {})
        return RegisteredModel(created=1, updated=1, aliases=aliases, stages={}, tags=tags)


def versions(known: Known) -> dict[str, str]:
    """What each model's alias is known to point at, where that is known."""
    return {
        watch.model: answer.version
        for watch, answer in answers(known).items()
        if isinstance(answer, ModelVersion)
    }


class LyingRegistry(SkippingRegistry):
    """All is well, but for what a test makes of it; it remembers what it was asked."""

    def __init__(self, **aliases: str) -> None:
        super().__init__(dict.fromkeys(MODELS, "7") | aliases, set())
        self.searches: dict[str, Exception] = {}  # by a name that spoils them
        self.models: dict[str, Exception] = {}
        self.sources: dict[tuple[str, str], Exception] = {}
        self.down: Exception | None = None
        self.asked: list[str] = []

    async def ping(self) -> None:
        self._ask("ping", None)

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        spoilt = next((self.searches[name] for name in models if name in self.searches), None)
        self._ask(f"search {len(models)}", spoilt)
        return await super().search([name for name in models if name not in self.models])

    async def walk(self, limit: int) -> dict[str, RegisteredModel]:
        self._ask("walk", None)
        return {f"x{n}": self._registered(MODELS[0]) for n in range(limit + 1)}

    async def model(self, name: str) -> RegisteredModel:
        self._ask(f"model {name}", self.models.get(name))
        return await super().model(name)

    async def resolve(self, version: RegisteredVersion) -> ModelVersion:
        self._ask(f"source {version.name}", self.sources.get((version.name, version.version)))
        return await super().resolve(version)

    def _ask(self, what: str, error: Exception | None) -> None:
        self.asked.append(what)
        if self.down or error:
            raise self.down or error  # type: ignore[misc]

    def taken(self) -> list[str]:
        taken, self.asked = self.asked, []
        return taken


def polled(
    scenario: Callable[[LyingRegistry, Poll], Awaitable[None]], **aliases: str
) -> tuple[LyingRegistry, Known]:
    """Polls of a registry that lies, by a clock that no test waits for."""
    lying, known = LyingRegistry(**aliases), Known()

    async def run() -> None:
        registry: Any = lying
        await scenario(lying, Poll(registry, "3.17.2", known))

    at_once(run())
    return lying, known
