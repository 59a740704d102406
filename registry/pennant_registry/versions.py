"""What a version is, and asking the registry for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pennant_registry import client as mlflow_client
from pennant_registry import names
from pennant_registry.errors import InvalidNameError, RegistryError, VersionMissingError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model as the registry has it."""

    name: str
    version: int
    run_id: str | None
    source: str
    tags: Mapping[str, str]
    stage: str | None = None
    created: datetime | None = None
    """In UTC, by the registry's clock."""
    model_id: str | None = None
    """Of its logged model, which MLflow 2 has not."""

    @property
    def sha256(self) -> str | None:
        """The digest that `register` wrote, or None for a version that was made without it."""
        return self.tags.get(names.TAG_SHA256)


def of_alias(client: MlflowClient, name: str, alias: str) -> Version | None:
    """The version that holds the alias; None when the model or the alias is not there."""
    try:
        with mlflow_client.asking(client):
            return _version(client.get_model_version_by_alias(name, alias))
    except RegistryError as error:
        if _says_unset(error):
            return None
        raise


def get(client: MlflowClient, name: str, version: int) -> Version:
    """Raises VersionMissingError when the registry says that it has no such version."""
    try:
        with mlflow_client.asking(client):
            return _version(client.get_model_version(name, str(version)))
    except RegistryError as error:
        if error.code != mlflow_client.NOT_FOUND:
            raise
        raise VersionMissingError(
            f"{name} has no version {version} in the registry at {client.tracking_uri}: "
            "give the number of a registered version"
        ) from error


def download_uri(client: MlflowClient, version: Version) -> str:
    """Where the server itself says that the version's files are: what was copied from another
    model's version has that version for its source. Raises RegistryError."""
    with mlflow_client.asking(client):
        return str(client.get_model_version_download_uri(version.name, str(version.version)))


def of_model(client: MlflowClient, name: str) -> list[Version]:
    """All versions of a model, newest first."""
    quote = '"' if "'" in name else "'"
    with mlflow_client.asking(client):
        entries = client.search_model_versions(f"name={quote}{name}{quote}")
    return sorted(map(_version, entries), key=lambda version: version.version, reverse=True)


def check_model_name(name: str) -> None:
    """Raises InvalidNameError."""
    problem = names.model_name_problem(name)
    if problem is not None:
        raise InvalidNameError(problem)


def _says_unset(error: RegistryError) -> bool:
    """MLflow answers 404 for a model that is missing, but 400 for an alias that is."""
    if error.code == mlflow_client.NOT_FOUND:
        return True
    return error.code == mlflow_client.INVALID and "not found" in str(error)


def _version(entry: MlflowVersion) -> Version:
    return Version(
        name=entry.name,
        version=int(entry.version),
        run_id=entry.run_id or None,
        source=entry.source or "",
        tags=dict(entry.tags),
        stage=entry.current_stage,
        created=datetime.fromtimestamp(entry.creation_timestamp / 1000, UTC),
        model_id=getattr(entry, "model_id", None) or None,
    )
