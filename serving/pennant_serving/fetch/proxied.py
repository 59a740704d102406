"""Downloading `mlflow-artifacts:/` through the tracking server's artifact proxy.

The listing of a file, of a missing path and of an empty folder are all the same empty answer
(MLflow 3.17), so an empty listing is followed by reading the path as a file: that answer tells.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.answers import Trouble
from pennant_serving.fetch.settings import Settings
from pennant_serving.fetch.web import Web
from pennant_serving.phases import Phases

CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One line of a folder's listing."""

    name: str
    is_folder: bool


class Proxy:
    """The artifact proxy of one registry."""

    def __init__(self, settings: Settings, phases: Phases) -> None:
        self._phase = phases.phase
        self._web = Web(settings)
        self._base = f"{settings.registry_url}/api/2.0/mlflow-artifacts/artifacts"

    def list(self, path: str) -> list[Entry]:
        """What lies directly in a folder. Raises PodError."""
        with self._phase("list"):
            return self._web.read(f"{self._base}?{urlencode({'path': path})}", _entries)

    def save(self, path: str, target: Path) -> None:
        """Stream one file to `target`. Raises PodError."""
        with self._phase("download"):
            self._web.read(f"{self._base}/{quote(path)}", lambda response: _save(response, target))


def download(settings: Settings, path: str, folder: Path, phases: Phases) -> Path:
    """Download a file or a folder; the folder, or the one file in it. Raises PodError."""
    proxy = Proxy(settings, phases)
    if entries := proxy.list(path):
        _save_folder(proxy, path, entries, folder)
        return folder
    parent, _, name = path.rpartition("/")
    try:
        proxy.save(path, folder / name)
    except PodError as error:
        if error.reason is Reason.DOWNLOAD_FAILED and not _lists(proxy, parent, name):
            message = f"the version's file is not there: MLflow lists no {name} in {parent}"
            raise PodError(Reason.BUNDLE_MISSING, message) from error
        raise
    return folder / name


def _lists(proxy: Proxy, folder: str, name: str) -> bool:
    """Whether a file is there: MLflow 2 has no better answer than 500 for one that is not."""
    return any(entry.name == name for entry in proxy.list(folder))


def _save_folder(proxy: Proxy, path: str, entries: list[Entry], folder: Path) -> None:
    for entry in entries:
        source, target = f"{path}/{entry.name}", folder / entry.name
        if entry.is_folder:
            target.mkdir()
            _save_folder(proxy, source, proxy.list(source), target)
        else:
            proxy.save(source, target)


def _entries(response: HTTPResponse) -> list[Entry]:
    try:
        files = json.loads(response.read()).get("files", [])
        return [Entry(_safe_name(file["path"]), bool(file.get("is_dir"))) for file in files]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        kind = response.headers.get_content_type()
        raise Trouble(f"the listing is {kind}, not MLflow's JSON: is this MLflow?") from error


def _safe_name(path: Any) -> str:
    """A listing must not be able to write outside the bundle."""
    name = str(path)
    if name in ("", ".", "..") or any(letter in name for letter in "/\\\0"):
        message = f"the registry lists {name!r}, which is not a plain file name"
        raise PodError(Reason.DOWNLOAD_FAILED, message)
    return name


def _save(response: HTTPResponse, target: Path) -> None:
    if response.headers.get_content_type() == "text/html" and not _is_attachment(response):
        raise Trouble("answered a page of HTML instead of the file: is there a login in the way?")
    with target.open("wb") as file:
        shutil.copyfileobj(response, file, CHUNK)
        received = file.tell()
    expected = response.headers.get("Content-Length")
    # http.client does not complain about a body that ends early.
    if expected is not None and int(expected) != received:
        raise Trouble(f"ended after {received} of {expected} bytes")


def _is_attachment(response: HTTPResponse) -> bool:
    """MLflow always sends a file as one, also a file that is HTML."""
    return str(response.headers.get("Content-Disposition", "")).startswith("attachment")
