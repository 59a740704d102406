"""Downloading `mlflow-artifacts:/` through the tracking server's artifact proxy.

The listing of a file, of a missing path and of an empty folder are all the same empty answer
(MLflow 3.17), so an empty listing is followed by reading the path as a file: that answer tells.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.answers import Trouble
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.fetch.web import Web
from pennant_serving.lifecycle.phases import Phases

FOLDER_DEPTH_LIMIT = 64
"""Folders in folders; what lists more is no bundle."""
NO_LISTING = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What is raised of JSON that is another's, such as of a size that is infinite."""
NAME_LIMIT_BYTES = 255
"""Bytes of a name that file systems take."""

LISTING_LIMIT_BYTES = 64 * 1024 * 1024
"""Bytes of a listing: of half a million files."""


@dataclass(frozen=True)
class Entry:
    """One line of a folder's listing."""

    name: str
    is_folder: bool
    size: int | None = None
    """Bytes of a file. MLflow does not say it of one that is empty, or of an unknown size."""


class Proxy:
    """The artifact proxy of one registry."""

    def __init__(self, settings: FetchSettings, phases: Phases) -> None:
        self._phase = phases.phase
        self._web = Web(settings)
        self._base = f"{settings.registry_url}/api/2.0/mlflow-artifacts/artifacts"

    def list(self, path: str) -> list[Entry]:
        """What lies directly in a folder. Raises PodError."""
        with self._phase("list"):
            return self._web.read(f"{self._base}?{urlencode({'path': path})}", _entries)

    def save(self, path: str, target: Path, size: int | None) -> None:
        """Stream one file of so many bytes to `target`. Raises PodError."""
        with self._phase("download"):
            self._web.save(f"{self._base}/{quote(path)}", target, size)


def download(settings: FetchSettings, path: str, folder: Path, phases: Phases) -> Path:
    """Download a file or a folder; the folder, or the one file in it. Raises PodError."""
    proxy = Proxy(settings, phases)
    if entries := proxy.list(path):
        _save_folder(proxy, path, entries, folder)
        return folder
    _save_file(proxy, path, folder / path.rpartition("/")[2])
    return folder / path.rpartition("/")[2]


def _save_file(proxy: Proxy, path: str, target: Path) -> None:
    parent, _, name = path.rpartition("/")
    beside = _beside(proxy, parent)
    entry = None if beside is None else next((e for e in beside if e.name == name), None)
    try:
        proxy.save(path, target, entry.size if entry else None)
    except PodError as error:
        # MLflow 2 has no better answer than 500 for a file that is not there.
        if error.reason is Reason.DOWNLOAD_FAILED and beside is not None and entry is None:
            message = f"the version's file is not there: MLflow lists no {name} in {parent}"
            raise PodError(Reason.BUNDLE_MISSING, message) from error
        raise


def _beside(proxy: Proxy, folder: str) -> list[Entry] | None:
    """What lies in a file's folder; None where only the file may be read."""
    try:
        return proxy.list(folder)
    except PodError as error:
        if error.reason in (Reason.CREDENTIALS_MISSING, Reason.BUNDLE_MISSING):
            return None
        raise


def _save_folder(
    proxy: Proxy, path: str, entries: list[Entry], folder: Path, depth: int = 1
) -> None:
    if depth > FOLDER_DEPTH_LIMIT:
        raise PodError(Reason.DOWNLOAD_FAILED, f"the registry lists folders without end: {path}")
    if len({entry.name for entry in entries}) < len(entries):
        raise PodError(Reason.DOWNLOAD_FAILED, f"the registry lists a name twice in {path}")
    for entry in entries:
        source, target = f"{path}/{entry.name}", folder / entry.name
        if entry.is_folder:
            target.mkdir()
            _save_folder(proxy, source, proxy.list(source), target, depth + 1)
        else:
            proxy.save(source, target, entry.size)


def _entries(response: HTTPResponse) -> list[Entry]:
    try:
        content = response.read(LISTING_LIMIT_BYTES + 1)
        if len(content) > LISTING_LIMIT_BYTES:
            raise Trouble(f"the listing has more than {LISTING_LIMIT_BYTES} bytes")
        files = json.loads(content).get("files", [])
        return [_entry(file) for file in files]
    except (*NO_LISTING, RecursionError) as error:
        kind = response.headers.get_content_type()
        raise Trouble(f"the listing is {kind}, not MLflow's JSON: is this MLflow?") from error


def _entry(file: dict[str, Any]) -> Entry:
    size = file.get("file_size")
    return Entry(
        _safe_name(file["path"]), bool(file.get("is_dir")), None if size is None else int(size)
    )


def _safe_name(path: Any) -> str:
    """A listing must not be able to write outside the bundle."""
    name = str(path)
    written = name.encode("utf-8", "replace")  # half a surrogate pair becomes another letter
    if (
        name in ("", ".", "..")
        or any(letter in name for letter in "/\\\0")
        or written.decode() != name
        or len(written) > NAME_LIMIT_BYTES
    ):
        message = f"the registry lists {name!r}, which is not a plain file name"
        raise PodError(Reason.DOWNLOAD_FAILED, message)
    return name
