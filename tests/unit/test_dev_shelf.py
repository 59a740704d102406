"""Built images on disk: what images share is there once, and sent to a node once."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from pennant_dev import oci, shelf

pytestmark = pytest.mark.unit

OLD, NEW = "0" * 12, "1" * 12


def shelved(tmp_path: Path, name: str, program: bytes, user: str = "1:1") -> Path:
    """An image as skopeo writes it: its index in a folder, its blobs beside everybody's."""
    archive, binary = tmp_path / "image.tar", tmp_path / "program"
    binary.write_bytes(program)
    oci.write_single_binary(archive, binary, f"localhost/{name[:-13]}:dev", user)
    folder = tmp_path / "shelf" / name
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    shutil.copytree(folder / "blobs", tmp_path / "shelf" / "blobs", dirs_exist_ok=True)
    shutil.rmtree(folder / "blobs")
    return folder


def packed(folders: list[Path], without: set[str]) -> tuple[set[str], io.BytesIO]:
    """The digests in an archive of images, and the archive."""
    written = io.BytesIO()
    shelf.pack(folders, without, written)
    written.seek(0)
    with tarfile.open(fileobj=written) as opened:
        blobs = {name for name in opened.getnames() if name.startswith("blobs/")}
    return {name.removeprefix("blobs/").replace("/", ":") for name in blobs}, written


def test_two_images_with_one_layer_have_it_once_on_disk_and_in_what_a_node_gets(tmp_path: Path):
    one = shelved(tmp_path, f"one-{NEW}", b"program", user="1:1")
    two = shelved(tmp_path, f"two-{NEW}", b"program", user="2:2")

    blobs = list((tmp_path / "shelf" / "blobs").glob("*/*"))
    assert len(blobs) == 5  # a layer, and a configuration and a manifest for each
    digests, _ = packed([one, two], without=set())
    assert digests == {f"{path.parent.name}:{path.name}" for path in blobs}


def test_what_a_node_gets_is_an_archive_that_names_every_image(tmp_path: Path):
    folders = [shelved(tmp_path, f"{name}-{NEW}", name.encode()) for name in ("one", "two")]

    _, written = packed(folders, without=set())
    (tmp_path / "sent.tar").write_bytes(written.getvalue())
    sent = oci.inspect(tmp_path / "sent.tar")
    assert sent == [image for folder in folders for image in oci.inspect(folder)]
    assert [image.reference for image in sent] == ["localhost/one:dev", "localhost/two:dev"]


def test_a_layer_that_the_node_has_is_not_sent_again(tmp_path: Path):
    older = shelved(tmp_path, f"one-{OLD}", b"program", user="1:1")
    newer = shelved(tmp_path, f"two-{NEW}", b"program", user="2:2")
    there = shelf.blobs(older)

    digests, _ = packed([newer], without=set(there))
    assert digests == shelf.blobs(newer).keys() - there.keys()
    assert len(digests) == 2


def test_a_newer_build_takes_the_older_ones_place_and_leaves_what_others_need(tmp_path: Path):
    older = shelved(tmp_path, f"one-{OLD}", b"older")
    other = shelved(tmp_path, f"other-{OLD}", b"shared")
    newer = shelved(tmp_path, f"one-{NEW}", b"shared", user="2:2")

    shelf.keep("one", newer)
    assert not older.exists()
    left = set((tmp_path / "shelf" / "blobs").glob("*/*"))
    assert left == {*shelf.blobs(other).values(), *shelf.blobs(newer).values()}


def test_an_image_is_no_older_build_of_another_whose_name_begins_like_its_own(tmp_path: Path):
    boosters = shelved(tmp_path, f"pennant-serving-boosters-{OLD}", b"boosters")
    serving = shelved(tmp_path, f"pennant-serving-{NEW}", b"serving")

    shelf.keep("pennant-serving", serving)
    assert all(path.exists() for path in shelf.blobs(boosters).values())
