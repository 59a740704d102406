"""From a version to its image: its bundle, a folder to build from, the builder, the tag."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pennant_cli.packages.image.builders import Builder, ImageError, builder_of
from pennant_cli.packages.image.context import write_context
from pennant_cli.version_names import VersionName
from pennant_registry import client as mlflow_client
from pennant_registry import lock_form, names, versions
from pennant_registry.locking import package_indexes
from pennant_registry.production import download_verified
from pennant_registry.versions import Version
from pennant_serving.environment.asked import read_asked
from pennant_serving.environment.settings import PackageIndexes
from pennant_serving.failures import PodError

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class ImageOrder:
    """What a person asks for."""

    of: VersionName
    base: str
    name: str
    index_urls: tuple[str, ...] = ()
    push: bool = False
    tag: bool = False


def build(order: ImageOrder, builder: str, arguments: list[str]) -> str:
    """The name of the image, with its digest where it was pushed. Raises RegistryError."""
    program, indexes = builder_of(builder), package_indexes(order.index_urls)
    client = mlflow_client.connect()
    version = versions.get(client, order.of.model, order.of.version)
    with tempfile.TemporaryDirectory(prefix="pennant-image-") as place:
        folder = Path(place)
        (folder / "bundle").mkdir()
        (folder / "context").mkdir()
        bundle = download_verified(client, version, folder / "bundle")
        _write(folder / "context", order, version, bundle, indexes)
        secrets = _account(folder / "netrc", indexes)
        program.build(folder / "context", order.name, secrets, arguments)
    return publish(order, program, client, version) if order.push else order.name


def publish(order: ImageOrder, program: Builder, client: MlflowClient, version: Version) -> str:
    """Push what was built, and name it in the version's tag where that is asked for; its name with
    its digest. Raises RegistryError."""
    pinned = program.push(order.name)
    if order.tag:
        with mlflow_client.asking(client):
            number = str(version.version)
            client.set_model_version_tag(version.name, number, names.TAG_IMAGE, pinned)
    return pinned


def _write(
    context: Path, order: ImageOrder, version: Version, bundle: Path, indexes: PackageIndexes
) -> None:
    value = version.tags.get(names.TAG_ENVIRONMENT)
    *first, last = indexes.urls
    arguments = [*(f"--index={url}" for url in first), f"--default-index={last}"]
    try:
        lock = lock_form.read(value) if value else None
        write_context(
            *(context, order.base, read_asked(bundle), lock, arguments),
            has_account=indexes.username is not None,
        )
    except PodError as error:
        raise ImageError(f"{order.of} cannot have an image of its own: {error}") from error
    except ValueError as error:
        raise ImageError(
            f"{order.of}: its tag {names.TAG_ENVIRONMENT} {error}: write it anew by `pennant lock`"
        ) from error


def _account(file: Path, indexes: PackageIndexes) -> list[str]:
    """The builder's argument for the account of the indexes, which no layer keeps."""
    if indexes.username is None:
        return []
    hosts = sorted({str(urlsplit(url).hostname) for url in indexes.urls})
    account = f"login {indexes.username} password {indexes.password or ''}"
    file.touch(mode=0o600)
    file.write_text("".join(f"machine {host} {account}\n" for host in hosts))
    return [f"id=netrc,src={file}"]
