"""Downloading from an object store (S3, Google Cloud Storage, Azure), past the MLflow server.

One small library for all of them, imported only here. It finds credentials in the variables of
serving.credentialsSecret or by the pod's cloud identity, tries again what may pass, and goes on
with a file where it broke off.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.patience import FIRST_DELAY, LONGEST_DELAY
from pennant_serving.fetch.settings import Settings
from pennant_serving.fetch.store_errors import explained

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "wasbs", "abfss")
CHUNK = 1 << 20
AT_ONCE = 8
STALLED = timedelta(seconds=10)
"""Without a byte."""
LONGEST = timedelta(hours=1)
"""For one file; only a library that is told so goes on with one that breaks off late."""


def download(settings: Settings, folder: Path) -> Path:
    """Download an object, or all below a name; the file, or the folder. Raises PodError."""
    key = urlsplit(settings.source).path.strip("/")
    try:
        store = open_store(settings)
        # The library holds its thread up: in this one, signals would wait for the store.
        with ThreadPoolExecutor(1) as pool:
            files = pool.submit(_below, store, key).result()
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
        "timeout": LONGEST,
        "connect_timeout": timedelta(seconds=3),
        "read_timeout": STALLED,
        "user_agent": "pennant-fetch",
        "allow_http": (settings.s3_endpoint or "").startswith("http://"),
    }
    if settings.given_ca is not None:
        client["root_certificate"] = settings.given_ca.read_bytes()  # beside the system's
    retry = {
        "max_retries": _tries(settings.patience),
        "retry_timeout": LONGEST,
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_DELAY),
            "max_backoff": timedelta(seconds=LONGEST_DELAY),
        },
    }
    return {"client_options": client, "retry_config": retry}


def _tries(patience: float) -> int:
    """How many pauses between attempts fit into it."""
    tries, delay = 0, FIRST_DELAY
    while patience > 0:
        tries, patience, delay = tries + 1, patience - delay, min(2 * delay, LONGEST_DELAY)
    return tries


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
    def save(key: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        answer = store.get(key)
        with target.open("wb") as file:
            for chunk in answer.stream(min_chunk_size=CHUNK):
                file.write(chunk)
            received = file.tell()
        if received != answer.meta["size"]:
            raise ValueError(f"{key} ended after {received} of {answer.meta['size']} bytes")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        saving = [pool.submit(save, key, folder / name) for key, name in wanted.items()]
        try:
            for each in saving:
                each.result()
        finally:
            pool.shutdown(cancel_futures=True)
