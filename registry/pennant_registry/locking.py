"""Locking: the packages that a bundle asks for, resolved once, where the model was trained.

What `fetch` would do in the first pods of a version is done here, by its own code, and what it
would report is written as the version's tag: no pod resolves anything. This is the one module of
the library that needs the server's code; it is imported when somebody locks.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pennant_registry import client as mlflow_client
from pennant_registry import lock_form, names, versions
from pennant_registry.environment import Environment
from pennant_registry.errors import LockError
from pennant_registry.lock_form import EnvironmentLock
from pennant_registry.production import download_verified
from pennant_serving.environment import locking, pins, uv
from pennant_serving.environment.asked import AskedEnvironment, read_asked
from pennant_serving.environment.record import PYTHON
from pennant_serving.environment.settings import PackageIndexes
from pennant_serving.failures import PodError

IndexURL = str | Sequence[str] | None
"""Of a package index, or of several, the one that is asked first at the front; None: those of the
variables of uv, or else of pip."""


def lock(name: str, version: int, *, index_url: IndexURL = None) -> EnvironmentLock:
    """Writes the tag `pennant.environment` of a version, in place of the one that it has.

    Raises LockError, and the errors of asking for a version and its files.
    """
    versions.check_model_name(name)
    client = mlflow_client.connect()
    of = versions.get(client, name, version)
    with tempfile.TemporaryDirectory(prefix="pennant-lock-") as folder:
        made = lock_of(download_verified(client, of, Path(folder)), index_url)
    with mlflow_client.asking(client):
        client.set_model_version_tag(
            name, str(version), names.TAG_ENVIRONMENT, lock_form.written(made)
        )
    return made


def lock_of(bundle: Path, index_url: IndexURL = None) -> EnvironmentLock:
    """The lock of a bundle on this disk, for the Python and the platform that run. Raises
    LockError."""
    indexes = package_indexes(index_url)
    if uv.program() is None:
        problem = "uv, which resolves packages, is not installed here: pip install 'pennant[lock]'"
        raise LockError(problem)
    try:
        asked = read_asked(bundle)
        _check_here(asked)
        with tempfile.TemporaryDirectory(prefix="pennant-lock-") as folder:
            network = Environment.read().network
            wheels = locking.resolve(asked, uv.Uv(indexes, Path(folder), network))
    except PodError as error:
        where = ", ".join(indexes.urls)
        raise LockError(
            f"the bundle cannot be locked by the packages of {where}: {error}"
        ) from error
    listed = [wheel.pin for wheel in wheels]
    return EnvironmentLock(pins.digest(listed), PYTHON, pins.encode(listed))


def _check_here(asked: AskedEnvironment) -> None:
    """Wheels are for one Python and one platform: the pods'."""
    if sys.platform != "linux":
        raise LockError(
            f"this is {sys.platform}, whose wheels no pod can use: lock on Linux, such as in the "
            "image of the training job"
        )
    if asked.python and asked.python != PYTHON:
        raise LockError(
            f"the bundle was made with Python {asked.python}, and this is Python {PYTHON}: lock it "
            f"with Python {asked.python}"
        )


def package_indexes(index_url: IndexURL) -> PackageIndexes:
    """Those that are given, or that the environment names. Raises LockError."""
    given = (index_url,) if isinstance(index_url, str) else index_url
    urls = tuple(given or Environment.read().index_urls)
    if not urls:
        raise LockError(
            "no package index is named: give index_url, or set UV_DEFAULT_INDEX or PIP_INDEX_URL, "
            "to where the ModelRegistry's spec.environments has pods get packages from"
        )
    parsed = [_parsed(url) for url in urls]
    accounts = {(each.username, each.password) for each in parsed}
    if len(accounts) > 1:
        raise LockError(
            "the package indexes have different accounts, and one account is shown to all: give "
            "an index_url that has all packages, or the same account in each"
        )
    ((username, password),) = accounts
    return PackageIndexes(
        tuple(map(_bare, parsed)),
        username and unquote(username),
        password and unquote(password),
    )


def _parsed(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts
    shown = url.rpartition("@")[2]
    raise LockError(f"index_url {shown!r} is no http or https address: correct it")


def _bare(address: SplitResult) -> str:
    """Without an account, which belongs neither on a command line nor in a message."""
    host = address.netloc.rpartition("@")[2]
    return address._replace(netloc=host).geturl().rstrip("/")
