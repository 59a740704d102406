"""Built images on disk: a folder of the OCI layout for each, one folder of blobs for all of them.

A layer that several images have is there once, and a node gets only what it has not.
"""

import json
import shutil
import tarfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

from pennant_dev import oci

BLOBS = "blobs"


def blobs(folder: Path) -> dict[str, Path]:
    """Digest and file of everything that an image consists of."""
    blobs = {}
    for image in oci.inspect(folder):
        manifest = json.loads(_blob(folder, image.digest).read_bytes())
        parts = (manifest["config"], *manifest["layers"])
        for digest in (image.digest, *(each["digest"] for each in parts)):
            blobs[digest] = _blob(folder, digest)
    return blobs


def pack(folders: Sequence[Path], without: Collection[str], into: IO[bytes]) -> None:
    """Write one archive of several images, without the blobs that its reader has."""
    manifests = [entry for folder in folders for entry in oci.index(folder)["manifests"]]
    needed = {digest: path for folder in folders for digest, path in blobs(folder).items()}
    with tarfile.open(fileobj=into, mode="w|") as archive:
        for digest in needed.keys() - set(without):
            archive.add(needed[digest], f"{BLOBS}/{digest.replace(':', '/')}")
        oci.add(archive, oci.heads(manifests))


def keep(name: str, newest: Path) -> None:
    """Remove older builds of an image, and the blobs that no image of the shelf needs any more."""
    for each in _folders(newest.parent):
        if each != newest and each.name.rpartition("-")[0] == name:
            shutil.rmtree(each)
    needed = {path for each in _folders(newest.parent) for path in blobs(each).values()}
    for path in (newest.parent / BLOBS).glob("*/*"):
        if path not in needed:
            path.unlink()


def _folders(shelf: Path) -> Iterator[Path]:
    return (each.parent for each in sorted(shelf.glob("*/index.json")))


def _blob(folder: Path, digest: str) -> Path:
    return folder.parent / BLOBS / digest.replace(":", "/")
