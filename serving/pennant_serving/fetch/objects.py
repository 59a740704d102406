"""Downloading from an object store (S3, Google Cloud Storage, Azure), past the MLflow server.

One small library for all of them, imported only here. It finds credentials in the variables of
serving.credentialsSecret or by the pod's cloud identity, tries again what may pass, and goes on
with a file where it broke off.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.patience import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Patience
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.fetch.store_errors import explained

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "wasbs", "abfss")
CHUNK_BYTES = 1 << 20
PARALLEL_DOWNLOADS = 8
FILE_DEADLINE = timedelta(hours=1)
"""For one file; only a library that is told so goes on with one that breaks off late."""


@dataclass(frozen=True)
class Object:
    """What is to be downloaded."""

    key: str
    name: str
    """Relative to the bundle's folder."""
    size: int | None
    """Bytes, as the store lists them."""


def download(settings: FetchSettings, folder: Path) -> Path:
    """Download an object, or all below a name; the file, or the folder. Raises PodError."""
    key = urlsplit(settings.source).path.strip("/")
    try:
        store = open_store(settings)
        # The library holds its thread up: in this one, signals would wait for the store.
        with ThreadPoolExecutor(1) as pool:
            files = pool.submit(_below, store, key).result()
            size = None if files else pool.submit(_size, store, key).result()
        wanted = [Object(f"{key}/{name}", name, size) for name, size in files.items()]
        name = key.rpartition("/")[2]
        _save_all(store, wanted or [Object(key, name, size)], folder, settings)
    except PodError:
        raise
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise  # of the volume; the store's own are no OSErrors but for this one
        raise explained(settings.source, error) from error
    except Exception as error:  # the library's, and ValueErrors for settings and names
        raise explained(settings.source, error) from error
    return folder if files else folder / name


def open_store(settings: FetchSettings) -> ObjectStore:
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


def _options(settings: FetchSettings) -> dict[str, Any]:
    client: dict[str, Any] = {
        "timeout": FILE_DEADLINE,
        "connect_timeout": timedelta(seconds=3),
        # The library asks a silent peer whether it lives, as fetch/connections.py does.
        "read_timeout": timedelta(seconds=settings.silence),
        "user_agent": "pennant-fetch",
        "allow_http": (settings.s3_endpoint or "").startswith("http://"),
    }
    if settings.registry_ca is not None:
        client["root_certificate"] = settings.registry_ca.read_bytes()  # beside the system's
    retry = {
        "max_retries": _tries(settings.patience),
        "retry_timeout": FILE_DEADLINE,
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_RETRY_SECONDS),
            "max_backoff": timedelta(seconds=LONGEST_RETRY_SECONDS),
        },
    }
    return {"client_options": client, "retry_config": retry}


def _tries(patience: float) -> int:
    """How many pauses between attempts fit into it."""
    tries, delay = 0, FIRST_RETRY_SECONDS
    while patience > 0:
        tries, patience, delay = tries + 1, patience - delay, min(2 * delay, LONGEST_RETRY_SECONDS)
    return tries


def _below(store: ObjectStore, key: str) -> dict[str, int]:
    """The sizes of the files below `key`, by relative name; empty where there are none."""
    listed = {entry["path"]: entry["size"] for chunk in store.list(f"{key}/") for entry in chunk}
    sizes = {path.removeprefix(f"{key}/"): size for path, size in listed.items() if path != key}
    # What some tools store to show a folder has its name and no content.
    folders = {str(parent) for name in sizes for parent in Path(name).parents}
    for name in sizes.keys() & folders:
        if sizes[name]:
            problem = f"the store lists {name!r} as a file of {sizes[name]} bytes and as a folder"
            raise PodError(Reason.DOWNLOAD_FAILED, problem)
        del sizes[name]
    return {_safe(name): sizes[name] for name in sorted(sizes)}


def _size(store: ObjectStore, key: str) -> int | None:
    """Of a single object; None where there is none, which reading it tells in words."""
    from obstore.exceptions import BaseError

    try:
        return store.head(key)["size"]
    except (BaseError, OSError):  # without words: there is no body
        return None


def _safe(name: str) -> str:
    """A listing must not be able to write outside the bundle."""
    if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        message = f"the store lists {name!r}, which is not a plain file name"
        raise PodError(Reason.DOWNLOAD_FAILED, message)
    return name


def _save_all(
    store: ObjectStore, wanted: list[Object], folder: Path, settings: FetchSettings
) -> None:
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        saving = [pool.submit(_save, store, each, folder, settings.patience) for each in wanted]
        try:
            for each in saving:
                each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _save(store: ObjectStore, wanted: Object, folder: Path, seconds: float) -> None:
    target, patience = folder / wanted.name, Patience(seconds)
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        patience.attempt()
        try:
            answer = store.get(wanted.key)
        except FileNotFoundError:
            if wanted.size != 0:
                raise
            return  # it shows an empty folder: `name/`, which is listed as `name`
        expected = answer.meta["size"] if wanted.size is None else wanted.size
        received = 0
        with target.open("wb") as file:
            for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                received += file.write(chunk)
                if received > expected:
                    break
        if received == expected:
            return
        if (pause := patience.failed()) is None:
            raise ValueError(f"{wanted.key} ended after {received} of {expected} bytes")
        time.sleep(pause)
