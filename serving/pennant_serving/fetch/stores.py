"""Downloading from any other store (hdfs, sftp, ...) with MLflow's client and its library.

The client is imported late: it costs most of a second that a proxied source need not pay.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_serving.failures import PodError, Reason

if TYPE_CHECKING:
    from mlflow.entities import FileInfo

# Class names, because the stores' libraries need not be installed.
REFUSALS = ("NoCredentials", "PartialCredentials", "AccessDenied", "Forbidden", "Credential")


def download(source: str, folder: Path) -> Path:
    """Download into `folder`; the folder, or the one file in it. Raises PodError."""
    from mlflow.artifacts import download_artifacts

    try:
        downloaded = Path(download_artifacts(artifact_uri=source, dst_path=str(folder)))
    except Exception as error:  # each store has errors of its own
        raise _explained(source, error) from error
    # The client answers a missing path of most stores with success and an empty folder.
    if downloaded.is_dir() and not any(path.is_file() for path in downloaded.rglob("*")):
        raise PodError(Reason.BUNDLE_MISSING, f"there is nothing at {source}")
    bundle = _flat(downloaded, folder)
    try:
        listed = dict(_sizes(source)) if bundle.is_dir() else _size(source)
    except Exception as error:
        raise _explained(source, error) from error
    for name, size in listed.items():
        path = bundle / name if bundle.is_dir() else bundle
        received = path.stat().st_size if path.is_file() else 0
        if size is not None and received != size:
            problem = f"{source}: {name} ended after {received} of {size} bytes"
            raise PodError(Reason.DOWNLOAD_FAILED, problem)
    return bundle


def _sizes(source: str, below: str = "") -> Iterator[tuple[str, int | None]]:
    """What the store lists of a folder: relative names, and bytes where it knows them."""
    for entry in _listed(f"{source}/{below}".rstrip("/")):
        name = f"{below}/{entry.path.rpartition('/')[2]}".lstrip("/")
        if entry.is_dir:
            yield from _sizes(source, name)
        else:
            yield name, entry.file_size


def _size(source: str) -> dict[str, int | None]:
    """What is listed of a single file, in its folder."""
    folder, _, name = source.rpartition("/")
    sizes = {entry.path.rpartition("/")[2]: entry.file_size for entry in _listed(folder)}
    return {name: sizes.get(name)}


def _listed(folder: str) -> list[FileInfo]:
    """By the store itself, because `mlflow.artifacts` lists a folder in the one above it, and the
    uppermost has none."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    entries: list[FileInfo] = get_artifact_repository(folder).list_artifacts()
    return entries


def _flat(downloaded: Path, folder: Path) -> Path:
    """MLflow may have made a subfolder of the source's name: its content is the bundle."""
    if downloaded == folder or downloaded.is_file():
        return downloaded
    # Beside, because the bundle may hold a name that is its own.
    inner = folder.with_name(f"{folder.name}-inner")
    shutil.rmtree(inner, ignore_errors=True)
    downloaded.rename(inner)
    shutil.rmtree(folder)
    inner.rename(folder)
    return folder


def _explained(source: str, error: Exception) -> PodError:
    problem = f"{source}: {type(error).__name__}: {error}"
    if any(name in problem for name in REFUSALS):
        advice = "check serving.credentialsSecret, or the pod's cloud identity"
        return PodError(Reason.CREDENTIALS_MISSING, f"{problem}: {advice}")
    if isinstance(error, ImportError):
        advice = "the image that runs fetch lacks this store's library"
        return PodError(Reason.DOWNLOAD_FAILED, f"{problem}: {advice}")
    return PodError(Reason.DOWNLOAD_FAILED, problem)
