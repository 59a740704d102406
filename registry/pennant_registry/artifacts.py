"""Where a run's artifact really is, and fetching a source to a folder without MLflow's traps."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pennant_registry import client as mlflow_client
from pennant_registry.errors import ArtifactMissingError, RegistryError, RunMissingError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def get_run(client: MlflowClient, run_id: str) -> Run:
    """Raises RunMissingError when MLflow has no such run."""
    try:
        with mlflow_client.asking(client):
            return client.get_run(run_id)
    except RegistryError as error:
        if error.code != mlflow_client.NOT_FOUND:
            raise
        raise RunMissingError(
            f"there is no run {run_id} at {client.tracking_uri}: give the id of a run that has "
            "logged the artifact"
        ) from error


def source_of(client: MlflowClient, run: Run, artifact: str) -> tuple[str, str | None]:
    """The source to register, and the logged model's id if it is one (MLflow 3 keeps those apart).

    Raises ArtifactMissingError: MLflow itself registers what does not exist without a word.
    """
    run_id = run.info.run_id
    if _is_listed(client, run_id, artifact):
        return f"runs:/{run_id}/{artifact}", None
    if model_id := _logged_model(client, run, artifact):
        return f"models:/{model_id}", model_id
    raise ArtifactMissingError(
        f"run {run_id} holds no artifact {artifact} at {client.tracking_uri}: log it to the run "
        "before registering, or give the file's path as the run lists it"
    )


def download(client: MlflowClient, source: str, folder: Path) -> Path:
    """Fetches a source to `folder`; the file, or the folder, that came.

    Raises RegistryUnreachableError within a minute of silence, and ArtifactMissingError when
    nothing came: for `models:/name@alias` and a source that is one file, MLflow reports success and
    leaves an empty folder.
    """
    import mlflow

    try:
        with mlflow_client.asking(client, mlflow_client.DOWNLOAD_TIMEOUTS):
            got = mlflow.artifacts.download_artifacts(
                artifact_uri=source, dst_path=str(folder), tracking_uri=client.tracking_uri
            )
    except RegistryError as error:
        if error.code != mlflow_client.NOT_FOUND:
            raise
        raise ArtifactMissingError(f"{source} is not at {client.tracking_uri}: {error}") from error
    path = _in_folder(Path(got), folder)
    if path.is_file() or any(file.is_file() for file in path.rglob("*")):
        return path
    raise ArtifactMissingError(
        f"{source} gave no file: register a version from an artifact that exists"
    )


def _in_folder(path: Path, folder: Path) -> Path:
    """MLflow answers with the original itself where that is on this machine: callers may change
    what they are given."""
    if path.is_relative_to(folder):
        return path
    copy = folder / path.name
    if path.is_dir():
        shutil.copytree(path, copy)
    else:
        shutil.copy2(path, copy)
    return copy


def _is_listed(client: MlflowClient, run_id: str, artifact: str) -> bool:
    folder = str(PurePosixPath(artifact).parent)
    with mlflow_client.asking(client):
        listed = client.list_artifacts(run_id, None if folder == "." else folder)
    return any(file.path == artifact for file in listed)


def _logged_model(client: MlflowClient, run: Run, name: str) -> str | None:
    """The id of the newest model that the run has logged under this name, and that is still there.

    One question, however many the run has logged; MLflow 2, whose runs have none, is not asked.
    """
    outputs = getattr(run, "outputs", None)
    if outputs is None or not outputs.model_outputs or "'" in name:
        return None
    wanted = (f"name = '{name}'", f"source_run_id = '{run.info.run_id}'")
    with mlflow_client.asking(client):
        models = client.search_logged_models(
            [run.info.experiment_id],
            filter_string=" AND ".join(wanted),
            order_by=[{"field_name": "creation_timestamp", "ascending": False}],
            max_results=1,
        )
    return str(models[0].model_id) if models else None
