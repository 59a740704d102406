"""What says which version is in production: an alias, or, where a registry is run so, a stage.

A stage is how MLflow 2 did it before aliases, and servers of both majors still know it. It may hold
several versions; the highest counts, here as in the operator.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pennant_registry import client as mlflow_client
from pennant_registry import names, versions
from pennant_registry.errors import InvalidNameError
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class Alias:
    """A registered model's alias."""

    name: str

    def __str__(self) -> str:
        return f"alias {self.name}"

    @property
    def problem(self) -> str | None:
        """Why MLflow refuses it, or None."""
        return names.alias_problem(self.name)

    @property
    def suffix(self) -> str:
        """Ends the keys of the tags that record its moves: a version may hold several aliases."""
        return self.name

    def holders(self, client: MlflowClient, model: str) -> list[Version]:
        """The version that holds it; empty when the model or the alias is not there."""
        version = versions.of_alias(client, model, self.name)
        return [version] if version else []

    def move(self, client: MlflowClient, to: Version) -> None:
        """Points it at a version."""
        with mlflow_client.asking(client):
            client.set_registered_model_alias(to.name, self.name, str(to.version))


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of MLflow 2."""

    name: str

    def __str__(self) -> str:
        return f"stage {self.name}"

    @property
    def problem(self) -> str | None:
        """Why nothing is promoted to it, or None."""
        return names.stage_problem(self.name)

    @property
    def suffix(self) -> str:
        """As for an alias, and never that of one."""
        return names.stage_suffix(self.name)

    def holders(self, client: MlflowClient, model: str) -> list[Version]:
        """The versions in it, highest first; empty when the model is not there or none is in it."""
        return [v for v in versions.of_model(client, model) if v.stage == self.name]

    def move(self, client: MlflowClient, to: Version) -> None:
        """Moves a version to it and archives the others, in one request: it is never empty."""
        with mlflow_client.asking(client), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # that stages are deprecated
            client.transition_model_version_stage(
                to.name, str(to.version), self.name, archive_existing_versions=True
            )


Pointer = Alias | Stage


def pointer(model: str, alias: str | None, stage: str | None) -> Pointer:
    """The one that is meant, with its name and the model's checked before a server is asked.

    Raises InvalidNameError: MLflow answers a bad alias as it does one that is not set.
    """
    versions.check_model_name(model)
    if (alias is None) == (stage is None):
        raise InvalidNameError("give either an alias or a stage, such as alias='production'")
    meant = Alias(alias) if alias is not None else Stage(str(stage))
    if meant.problem is not None:
        raise InvalidNameError(meant.problem)
    return meant
