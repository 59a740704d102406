"""All that `pennant doctor` looks at, in order: what the next thing needs comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pennant_cli.checks.doctor import file_access, rights, server
from pennant_cli.checks.doctor import models as all_models
from pennant_cli.checks.doctor.asking import Server
from pennant_cli.checks.findings import Finding, Verdict
from pennant_registry import client as mlflow_client
from pennant_registry import versions
from pennant_registry.errors import RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel


def examine(model: str | None) -> Iterator[Finding]:
    """With a model's name its versions are looked at, else the first model's."""
    try:
        client = mlflow_client.connect()
    except RegistryError as error:
        yield Finding("address", Verdict.PROBLEM, str(error))
        return
    asked = Server(client.tracking_uri)
    answering = server.reached(asked)
    yield answering
    if answering.verdict is Verdict.PROBLEM:
        return
    yield from _registered(client, asked, model)
    if asked.is_asked_by_http:
        yield from server.webhooks(asked)


def _registered(client: MlflowClient, asked: Server, model: str | None) -> Iterator[Finding]:
    try:
        models = all_models.registered(client)
    except RegistryError as error:
        remedy = "have its administrator let this account read registered models"
        yield Finding("models", Verdict.PROBLEM, str(error), remedy)
        return
    yield from all_models.about(models)
    chosen = all_models.named(client, model) if model else _with_a_version(models)
    if isinstance(chosen, Finding):
        yield chosen
    elif chosen is not None:
        yield from _one(client, asked, chosen)


def _with_a_version(models: list[RegisteredModel]) -> RegisteredModel | None:
    return next((model for model in models if model.aliases or model.latest_versions), None)


def _one(client: MlflowClient, asked: Server, model: RegisteredModel) -> Iterator[Finding]:
    numbers = [*model.aliases.values(), *(each.version for each in model.latest_versions)]
    if not numbers:
        message = f"{model.name} has no version"
        yield Finding("model", Verdict.WARNING, message, "register one: pennant register")
        return
    try:
        version = versions.get(client, model.name, int(numbers[0]))
    except RegistryError as error:
        yield Finding("model", Verdict.PROBLEM, str(error))
        return
    yield from file_access.readable(client, version)
    if asked.is_asked_by_http:
        yield rights.writing(asked, model.name)
