"""Asks the registry what gates want to know of a version."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pennant_registry import artifacts, names, versions
from pennant_registry import client as mlflow_client
from pennant_registry.errors import RegistryError
from pennant_registry.gates import BundleFacts, Gates, VersionFacts, bundle_facts
from pennant_registry.gates.facts import tagged
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

MLMODEL = "MLmodel"
MLMODEL_LIMIT_BYTES = 2**20


def facts_for(client: MlflowClient, version: Version, gates: Gates) -> VersionFacts:
    """What these gates ask of a version, and no more. Raises RegistryError."""
    return VersionFacts(
        version=str(version.version),
        metrics=_metrics(client, version) if gates.metrics else {},
        tags=version.tags,
        bundle=_bundle(client, version) if gates.about_the_bundle else "nobody asked",
    )


def read_mlmodel(path: Path) -> BundleFacts:
    """Of a bundle on this disk: its MLmodel file; what has none is no MLflow model.

    Raises ValueError where there is one that cannot be read.
    """
    file = path / MLMODEL
    if not file.is_file():
        return BundleFacts()
    if file.stat().st_size > MLMODEL_LIMIT_BYTES:
        raise ValueError(f"its MLmodel file is longer than {MLMODEL_LIMIT_BYTES // 2**20} MiB")
    return bundle_facts(_yaml(file.read_text()))


def _metrics(client: MlflowClient, version: Version) -> Mapping[str, float]:
    """Those of its logged model (MLflow 3), and of its run where that has others."""
    metrics: dict[str, float] = {}
    if version.run_id is not None:
        metrics |= artifacts.get_run(client, version.run_id).data.metrics
    if version.model_id is not None:
        with mlflow_client.asking(client):
            model = client.get_logged_model(version.model_id)
        metrics |= {metric.key: metric.value for metric in model.metrics or ()}
    return metrics


def _bundle(client: MlflowClient, version: Version) -> BundleFacts | str:
    """By its MLmodel file, else by the tags of `register`, else the reason why nobody knows."""
    try:
        return _downloaded(client, version)
    except (RegistryError, ValueError) as error:
        why = str(error)[:200]
    tags = version.tags
    try:
        known = tagged(tags.get(names.TAG_FLAVORS), tags.get(names.TAG_SIGNATURE))
    except ValueError as error:
        return f"the tag {names.TAG_SIGNATURE} cannot be read: {error}"
    return known or f"its MLmodel file could not be read: {why}"


def _downloaded(client: MlflowClient, version: Version) -> BundleFacts:
    source = versions.download_uri(client, version)
    with tempfile.TemporaryDirectory(prefix="pennant-gates-") as folder:
        return read_mlmodel(artifacts.download(client, f"{source}/{MLMODEL}", Path(folder)).parent)


def _yaml(text: str) -> Mapping[str, Any]:
    import yaml

    try:
        parsed = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"its MLmodel file is no YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise ValueError("its MLmodel file is no mapping")  # noqa: TRY004 - of a text
    return parsed
