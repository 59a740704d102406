"""Polls of a real MLflow server, with every request counted, and models for them to find."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from mlflow import MlflowClient

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.credentials import Credentials
from pennant_operator.observe.mlflow.http import NONE, MlflowHttp, Refusal
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll


class Counted(MlflowHttp):
    """The real thing, which remembers what was asked."""

    def __init__(self, url: str, known: Credentials = NONE) -> None:
        super().__init__(
            parse_registry({"metadata": {"name": "default"}, "spec": {"url": url}}), known
        )
        self.asked: list[str] = []

    async def get(self, path: str, query: Any) -> dict[str, Any] | Refusal:
        self.asked.append(path)
        return await super().get(path, query)

    async def send(self, method: str, path: str, body: Any) -> dict[str, Any] | Refusal:
        self.asked.append(path)
        return await super().send(method, path, body)

    async def artifact(self, path: str, limit: int) -> tuple[int, str]:
        self.asked.append("mlflow-artifacts")
        return await super().artifact(path, limit)

    def taken(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


class Clock:
    """The time, which a test may advance."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.passed


def ask(url: str, scenario: Callable[[Counted, Poll], Awaitable[None]]) -> Known:
    """Run a scenario over one connection; what is known at its end."""

    async def run() -> Known:
        http = Counted(url)
        try:
            registry = Registry(http)
            poll = Poll(registry, await registry.server_version(), Known(), clock=Clock())
            await scenario(http, poll)
            return poll.known
        finally:
            await http.close()

    return asyncio.run(run())


def models(client: MlflowClient, count: int) -> list[Watch]:
    """Registered models, version 1 of each promoted, and the watches that follow them."""
    prefix, watches = f"m{uuid4().hex[:8]}", []
    for number in range(count):
        name = f"{prefix}-{number}"
        client.create_registered_model(name)
        version(client, name)
        client.set_registered_model_alias(name, "production", "1")
        watches.append(Watch("default", name, alias="production"))
    return watches


def version(client: MlflowClient, model: str, path: str = "newsreco.pkl") -> str:
    run = client.create_run("0").info.run_id
    client.log_text(run, "bytes", path)
    tags = {"pennant.sha256": "ab" * 32}
    made = client.create_model_version(model, f"runs:/{run}/{path}", run, tags)
    return str(made.version)


def to_stage(
    client: MlflowClient, model: str, number: str, stage: str, *, alone: bool = False
) -> None:
    """Move a version to a stage, beside what is in it, or alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MLflow 3's client: stages are deprecated
        client.transition_model_version_stage(model, number, stage, archive_existing_versions=alone)
