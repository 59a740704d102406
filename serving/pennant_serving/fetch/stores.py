"""Downloading from any other store (hdfs, sftp, ...) with MLflow's client and its library.

The client is imported late: it costs most of a second that a proxied source need not pay.
"""

from __future__ import annotations

from pathlib import Path

from pennant_serving.failures import PodError, Reason

# Class names, because the stores' libraries need not be installed.
REFUSALS = ("NoCredentials", "PartialCredentials", "AccessDenied", "Forbidden", "Credential")


def download(source: str, folder: Path) -> Path:
    """Download into `folder`; the folder, or the one file in it. Raises PodError."""
    from mlflow.artifacts import download_artifacts

    try:
        found = Path(download_artifacts(artifact_uri=source, dst_path=str(folder)))
    except Exception as error:  # each store has errors of its own
        raise _explained(source, error) from error
    # The client answers a missing path of most stores with success and an empty folder.
    if found.is_dir() and not any(path.is_file() for path in found.rglob("*")):
        raise PodError(Reason.BUNDLE_MISSING, f"there is nothing at {source}")
    return _flat(found, folder)


def _flat(found: Path, folder: Path) -> Path:
    """MLflow may have made a subfolder of the source's name: its content is the bundle."""
    if found == folder or found.is_file():
        return found
    for path in found.iterdir():
        path.rename(folder / path.name)
    found.rmdir()
    return folder


def _explained(source: str, error: Exception) -> PodError:
    said = f"{source}: {type(error).__name__}: {error}"
    if any(name in said for name in REFUSALS):
        advice = "check serving.credentialsSecret, or the pod's cloud identity"
        return PodError(Reason.CREDENTIALS_MISSING, f"{said}: {advice}")
    if isinstance(error, ImportError):
        advice = "the image that runs fetch lacks this store's library"
        return PodError(Reason.DOWNLOAD_FAILED, f"{said}: {advice}")
    return PodError(Reason.DOWNLOAD_FAILED, said)
