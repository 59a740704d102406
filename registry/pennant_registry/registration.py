"""Registering: a run's artifact becomes a version that says what it is and where it is from."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_registry import artifacts, digest, lock_form, names, versions
from pennant_registry import client as mlflow_client
from pennant_registry.errors import LockError, RegistryError
from pennant_registry.version_facts import read_mlmodel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from pennant_registry.locking import IndexURL

# A version says by itself where it is from: these tags of the run are handed on to it.
INHERITED = {
    names.TAG_DATASET: names.TAG_DATASET,
    "mlflow.source.git.commit": names.TAG_COMMIT,
    names.TAG_COMMIT: names.TAG_COMMIT,
    names.TAG_OWNER: names.TAG_OWNER,
}


def register(
    run_id: str,
    artifact_file: str,
    name: str,
    tags: Mapping[str, str] | None = None,
    *,
    lock: bool = False,
    index_url: IndexURL = None,
) -> int:
    """Makes a new version of `name` from what the run has logged as `artifact_file`; its number.

    The version is tagged with the digest of the artifact, with the flavors and the signature of an
    MLflow model, with the dataset snapshot, code commit and owner that the run's tags name, and
    with `tags`, which win over these.
    With `lock`, the packages that it asks for are resolved here, by what the package index at
    `index_url` has, and it is tagged with them: its pods install exactly these. Where that cannot
    be done, no version is made.
    Raises RunMissingError or ArtifactMissingError: MLflow checks neither. Raises LockError.
    """
    versions.check_model_name(name)
    computed = {names.TAG_SHA256, names.TAG_ENVIRONMENT} if lock else {names.TAG_SHA256}
    for tag in sorted(computed & (tags or {}).keys()):
        raise RegistryError(f"tag {tag} is what register computes: leave it out")
    if index_url is not None and not lock:
        raise LockError("index_url is where lock=True finds packages: give both or neither")
    client = mlflow_client.connect()
    run = artifacts.get_run(client, run_id)
    source, model_id = artifacts.source_of(client, run, artifact_file.strip("/"))
    own = _of_the_artifact(client, source, lock=lock, index_url=index_url)
    all_tags = _inherited(run) | own | dict(tags or {})
    _ensure_model(client, name)
    of_model = {"model_id": model_id} if model_id else {}  # MLflow 2's client knows none
    with mlflow_client.asking(client):
        made = client.create_model_version(
            name, source, run_id=run_id, tags=all_tags, await_creation_for=0, **of_model
        )
    return int(made.version)


def _inherited(run: Run) -> dict[str, str]:
    tags = run.data.tags
    return {ours: tags[theirs] for theirs, ours in INHERITED.items() if theirs in tags}


def _of_the_artifact(
    client: MlflowClient, source: str, *, lock: bool, index_url: IndexURL
) -> dict[str, str]:
    """Its digest, and what its MLmodel file says, which gates ask for, where that can be read; and
    its packages, where they are to be locked."""
    with tempfile.TemporaryDirectory(prefix="pennant-register-") as folder:
        path = artifacts.download(client, source, Path(folder))
        tags = {names.TAG_SHA256: digest.of_path(path)}
        with contextlib.suppress(ValueError):
            flavors, signature = read_mlmodel(path).tags()
            tags[names.TAG_FLAVORS] = flavors
            if signature is not None:
                tags[names.TAG_SIGNATURE] = signature
        if lock:
            from pennant_registry.locking import lock_of

            tags[names.TAG_ENVIRONMENT] = lock_form.written(lock_of(path, index_url))
        return tags


def _ensure_model(client: MlflowClient, name: str) -> None:
    try:
        with mlflow_client.asking(client):
            client.create_registered_model(name)
    except RegistryError as error:
        if error.code != mlflow_client.EXISTS:
            raise
