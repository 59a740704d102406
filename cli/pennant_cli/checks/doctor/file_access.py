"""Where a version's files are, and whether this machine can read them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pennant_cli.checks.findings import Finding, Verdict
from pennant_registry import artifacts, sources, versions
from pennant_registry import client as mlflow_client
from pennant_registry.errors import RegistryError, without_accounts
from pennant_registry.gates.mlmodel import MLMODEL
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

STORES = {
    "s3": ("boto3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role"),
    "gs": ("google.cloud.storage", "GOOGLE_APPLICATION_CREDENTIALS, or a workload identity"),
    "wasbs": ("azure.storage.blob", "AZURE_STORAGE_CONNECTION_STRING, or an identity"),
    "abfss": ("azure.storage.filedatalake", "an identity of Azure"),
}
"""By scheme: the module that MLflow reads it with, and what opens it."""


def readable(client: MlflowClient, version: Version) -> Iterator[Finding]:
    """Where the files of a version are, and what came of reading them."""
    try:
        place = _place(client, version)
    except RegistryError as error:
        yield Finding("artifacts", Verdict.PROBLEM, str(error), _grant(error))
        return
    scheme = urlsplit(place).scheme
    what = f"those of {version.name}/{version.version} are in {place}"
    module, credentials = STORES.get(scheme, ("", ""))
    if sources.proxied_path(place) is not None:
        if urlsplit(client.tracking_uri).scheme not in ("http", "https"):
            remedy = "set MLFLOW_TRACKING_URI to that server"
            yield Finding("artifacts", Verdict.PROBLEM, f"{what}, which a server hands out", remedy)
            return
        yield Finding("artifacts", Verdict.OK, f"{what}, which MLflow itself hands out")
    elif scheme in ("", "file"):
        what = f"{what}, on the disk of MLflow's machine"
        remedy = "run it with --artifacts-destination, or let it keep artifacts in a store"
        yield Finding("artifacts", Verdict.WARNING, what, remedy)
    elif module and not _is_installed(module):
        remedy = f"install what holds the module {module}"
        yield Finding("artifacts", Verdict.PROBLEM, f"{what}, which is read past MLflow", remedy)
        return
    else:
        remedy = "pods need artifacts.mode Direct: docs/artifacts.md"
        yield Finding("artifacts", Verdict.OK, f"{what}, which is read past MLflow", remedy)
    yield _read(client, version, place, credentials)


def _place(client: MlflowClient, version: Version) -> str:
    """Raises RegistryError."""
    source = versions.download_uri(client, version)
    if not source.startswith("runs:/"):
        return source
    run, _, path = source.removeprefix("runs:/").partition("/")
    root = str(artifacts.get_run(client, run).info.artifact_uri)
    return f"{root.rstrip('/')}/{path}"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of what is above it
        return False


def _read(client: MlflowClient, version: Version, place: str, credentials: str) -> Finding:
    """Lists them, and downloads the smallest that there is."""
    what = f"files of {version.name}/{version.version}"
    try:
        names = _listing(client, place)
        if MLMODEL in names:
            with tempfile.TemporaryDirectory(prefix="pennant-doctor-") as folder:
                artifacts.download(client, f"{place}/{MLMODEL}", Path(folder))
    except RegistryError as error:
        return Finding("download", Verdict.PROBLEM, f"{what}: {error}", _grant(error))
    except Exception as error:  # noqa: BLE001 - whatever a store's library raises
        remedy = f"give this machine {credentials}" if credentials else "see what MLflow needs"
        return Finding("download", Verdict.PROBLEM, without_accounts(f"{what}: {error}"), remedy)
    if not names:
        remedy = "register a version from an artifact that exists"
        return Finding("download", Verdict.PROBLEM, f"{what}: there are none", remedy)
    read = f"{MLMODEL} was read" if MLMODEL in names else "they were listed"
    return Finding("download", Verdict.OK, f"{what}: {read}")


def _listing(client: MlflowClient, place: str) -> set[str]:
    """The names in a folder, or that of the file itself."""
    if names := _names(client, place):
        return names
    parent, _, name = place.rpartition("/")
    return _names(client, parent) & {name}


def _names(client: MlflowClient, place: str) -> set[str]:
    import mlflow

    with mlflow_client.asking(client, mlflow_client.DOWNLOAD_TIMEOUTS):
        entries = mlflow.artifacts.list_artifacts(
            artifact_uri=place, tracking_uri=client.tracking_uri
        )
    return {entry.path.rpartition("/")[2] for entry in entries or ()}


def _grant(error: RegistryError) -> str:
    if "403" in str(error):
        return "have its administrator let this account read the experiment of the version's run"
    return ""
