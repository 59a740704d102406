"""A package index as files for any web server (PEP 503, 658): pages, wheels and metadata."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pennant_testing.packages.simple_index import PackageIndex, project_of


def lay_out(folders: Iterable[Path], root: Path) -> None:
    """Make `simple/` and `files/` below a folder, of all wheels in others."""
    files = root / "files"
    files.mkdir(parents=True)
    described = {}
    for wheel in {each.name: each for folder in folders for each in folder.glob("*.whl")}.values():
        (files / wheel.name).symlink_to(wheel)
        metadata = _metadata(wheel)
        (files / f"{wheel.name}.metadata").write_bytes(metadata)
        described[wheel.name] = hashlib.sha256(metadata).hexdigest()
    index = PackageIndex(files, files_url="../..")
    for project in {project_of(wheel) for wheel in files.glob("*.whl")}:
        answer = index.answer(f"/simple/{project}/")
        assert answer is not None
        page = root / "simple" / project / "index.html"
        page.parent.mkdir(parents=True)
        text = answer[1].decode()
        for name, digest in described.items():
            marked = f'<a data-core-metadata="sha256={digest}" href="../../files/{name}#'
            text = text.replace(f'<a href="../../files/{name}#', marked)
        page.write_text(text)


def _metadata(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA")
                   and n.count("/") == 1)  # fmt: skip
        return archive.read(name)


def packed(root: Path, archive: Path) -> Path:
    """All of it in one uncompressed archive."""
    with tarfile.open(archive, "w", dereference=True) as opened:
        opened.add(root, arcname=".")
    return archive
