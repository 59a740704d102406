"""Downloading from an object store (S3, Google Cloud Storage, Azure), past the MLflow server.

One small library for all of them, imported only here. It finds credentials in the variables of
serving.credentialsSecret or by the pod's cloud identity, tries again what may pass, and goes on
with a file where it broke off.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import Settings
from pennant_serving.fetch.store_errors import explained

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "wasbs", "abfss")
CHUNK = 1 << 20
AT_ONCE = 8
STALLED = timedelta(seconds=10)
"""Without a byte."""
TRIES = 20
"""More than patience allows, which is what ends them."""


def download(settings: Settings, folder: Path) -> Path:
    """Download an object, or all below a name; the file, or the folder. Raises PodError."""
    key = urlsplit(settings.source).path.strip("/")
    try:
        store = open_store(settings)
        files = _below(store, key)
        wanted = {f"{key}/{name}": name for name in files} or {key: key.rpartition("/")[2]}
        _save_all(store, wanted, folder)
    except PodError:
        raise
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise  # of the volume; the store's own are no OSErrors but for this one
        raise explained(settings.source, error) from error
    except Exception as error:  # the library's, and ValueErrors for settings and names
        raise explained(settings.source, error) from error
    return folder if files else folder / key.rpartition("/")[2]


def open_store(settings: Settings) -> ObjectStore:
    """The bucket or container of the source; nothing is asked of it yet."""
    from obstore.store import AzureStore, GCSStore, S3Store

    parts, common = urlsplit(settings.source), _options(settings)
    if parts.scheme == "s3":
        if settings.s3_endpoint:
            common["endpoint"] = settings.s3_endpoint
        return S3Store(parts.netloc, **common)
    if parts.scheme == "gs":
        return GCSStore(parts.netloc, **common)
    container, _, host = parts.netloc.partition("@")
    # Data Lake addresses (dfs) name the same objects, and are listed as blobs.
    endpoint = f"https://{host.replace('.dfs.', '.blob.', 1)}"
    account = host.partition(".")[0]
    return AzureStore(container, account_name=account, endpoint=endpoint, **common)


def _options(settings: Settings) -> dict[str, Any]:
    client: dict[str, Any] = {
        "timeout": timedelta(hours=1),  # for a whole answer, however big
        "read_timeout": STALLED,
        "user_agent": "pennant-fetch",
        "allow_http": (settings.s3_endpoint or "").startswith("http://"),
    }
    ca = settings.registry_ca
    if ca is not None and ca.is_file() and ca.stat().st_size:
        client["root_certificate"] = ca.read_bytes()  # beside the system's
    patience = timedelta(seconds=settings.patience)
    return {
        "client_options": client,
        "retry_config": {"max_retries": TRIES, "retry_timeout": patience},
    }


def _below(store: ObjectStore, key: str) -> list[str]:
    """The names of the files below `key`, relative to it; empty where there are none."""
    found = [entry["path"] for chunk in store.list(f"{key}/") for entry in chunk]
    names = {path.removeprefix(f"{key}/") for path in found} - {key}
    # What some tools store to show a folder has its name and no content.
    folders = {str(parent) for name in names for parent in Path(name).parents}
    return sorted(map(_safe, names - folders))


def _safe(name: str) -> str:
    """A listing must not be able to write outside the bundle."""
    if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        message = f"the store lists {name!r}, which is not a plain file name"
        raise PodError(Reason.DOWNLOAD_FAILED, message)
    return name


def _save_all(store: ObjectStore, wanted: dict[str, str], folder: Path) -> None:
    over = threading.Event()

    def save(key: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        answer = store.get(key)
        with target.open("wb") as file:
            for chunk in answer.stream(min_chunk_size=CHUNK):
                if over.is_set():
                    return
                file.write(chunk)
            received = file.tell()
        if received != answer.meta["size"]:
            raise ValueError(f"{key} ended after {received} of {answer.meta['size']} bytes")

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for saved in [pool.submit(save, key, folder / name) for key, name in wanted.items()]:
            saved.result()
    finally:  # one failure, or the signal to end, ends all of them
        over.set()
        pool.shutdown(cancel_futures=True)
