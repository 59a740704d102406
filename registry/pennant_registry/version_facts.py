"""Asks the registry what gates want to know of a version."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_registry import artifacts, sources, versions
from pennant_registry import client as mlflow_client
from pennant_registry.errors import RegistryError
from pennant_registry.gates import BundleFacts, Gates, VersionFacts, mlmodel
from pennant_registry.gates.facts import tagged_or_why
from pennant_registry.gates.mlmodel import MLMODEL, MLMODEL_LIMIT_BYTES, TOO_LONG
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def facts_for(client: MlflowClient, version: Version, gates: Gates) -> VersionFacts:
    """What these gates ask of a version, and no more. Raises RegistryError."""
    return VersionFacts(
        version=str(version.version),
        metrics=metrics_of(client, version) if gates.metrics else {},
        tags=version.tags,
        bundle=bundle_of(client, version) if gates.about_the_bundle else "nobody asked",
    )


def read_mlmodel(path: Path) -> BundleFacts:
    """Of a bundle on this disk: its MLmodel file; what has none is no MLflow model.

    Raises ValueError where there is one that cannot be read.
    """
    file = path / MLMODEL
    if not file.is_file():
        return BundleFacts()
    if file.stat().st_size > MLMODEL_LIMIT_BYTES:
        raise ValueError(TOO_LONG)
    return mlmodel.read_mlmodel(file.read_text("utf-8"))


def metrics_of(client: MlflowClient, version: Version) -> Mapping[str, float] | str:
    """Those of its logged model (MLflow 3), and of its run where that has others."""
    metrics: dict[str, float] = {}
    if version.run_id is not None:
        metrics |= artifacts.get_run(client, version.run_id).data.metrics
    model_id = version.model_id or sources.logged_model(version.source)
    if model_id is None or not hasattr(client, "get_logged_model"):  # MLflow 2's client knows none
        return metrics
    try:
        with mlflow_client.asking(client):
            model = client.get_logged_model(model_id)
    except RegistryError as error:
        if error.code != mlflow_client.NOT_FOUND:
            raise
        return f"its logged model {model_id} is gone"
    return metrics | {metric.key: metric.value for metric in model.metrics or ()}


def bundle_of(client: MlflowClient, version: Version) -> BundleFacts | str:
    """By its MLmodel file, else by the tags of `register`, else the reason why nobody knows."""
    try:
        return _downloaded(client, version)
    except (RegistryError, ValueError) as error:
        return tagged_or_why(version.tags, str(error)[:200])


def _downloaded(client: MlflowClient, version: Version) -> BundleFacts:
    source = versions.download_uri(client, version)
    with tempfile.TemporaryDirectory(prefix="pennant-gates-") as folder:
        return read_mlmodel(artifacts.download(client, f"{source}/{MLMODEL}", Path(folder)).parent)
