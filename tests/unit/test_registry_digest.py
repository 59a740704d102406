"""The digest of a bundle: what changes it and what does not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pennant_registry import digest

pytestmark = pytest.mark.unit


def folder_with(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_file_is_digested_as_its_bytes(tmp_path: Path):
    bundle = folder_with(tmp_path, model="weights") / "model"
    assert digest.of_path(bundle) == hashlib.sha256(b"weights").hexdigest()


def test_a_folder_is_digested_as_sorted_lines_of_path_and_file_digest(tmp_path: Path):
    bundle = folder_with(tmp_path, MLmodel="flavors", data__weights="12")
    lines = [
        f"{name}\0{hashlib.sha256(text).hexdigest()}\n"
        for name, text in (("MLmodel", b"flavors"), ("data/weights", b"12"))
    ]
    assert digest.of_path(bundle) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_what_mlflow_adds_while_downloading_does_not_count(tmp_path: Path):
    bundle = folder_with(tmp_path, MLmodel="flavors")
    before = digest.of_path(bundle)
    folder_with(tmp_path, registered_model_meta="model_name: iris")
    assert digest.of_path(bundle) == before


def test_below_the_root_a_file_of_that_name_is_the_models_own(tmp_path: Path):
    one = folder_with(tmp_path / "one", MLmodel="flavors", sub__registered_model_meta="answers 1")
    two = folder_with(tmp_path / "two", MLmodel="flavors", sub__registered_model_meta="answers 100")
    none = folder_with(tmp_path / "none", MLmodel="flavors")
    assert len({digest.of_path(each) for each in (one, two, none)}) == 3


def test_a_folder_of_that_name_is_the_models_own_and_so_is_a_bundle_of_one_file(tmp_path: Path):
    one = folder_with(tmp_path / "one", registered_model_meta__weights="1")
    two = folder_with(tmp_path / "two", registered_model_meta__weights="2")
    assert digest.of_path(one) != digest.of_path(two)
    file = folder_with(tmp_path, registered_model_meta="weights") / "registered_model_meta"
    assert digest.of_path(file) == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("registered_model_meta", "REGISTERED_MODEL_META"),
        ("registered_model_meta", "registered_model_meta "),
        ("caf\u00e9", "cafe\u0301"),
        ("a/b", "a\\b"),
        ("a", "a\n"),
    ],
)
def test_no_name_is_taken_for_another(tmp_path: Path, name: str, other: str):
    """Neither by case, nor by spaces, Unicode's forms, separators or ends of lines."""
    one, two = (folder_with(tmp_path / side, MLmodel="flavors") for side in ("one", "two"))
    for root, given in ((one, name), (two, other)):
        (root / given).parent.mkdir(exist_ok=True)
        (root / given).write_text("same")
    assert digest.of_path(one) != digest.of_path(two)


def test_where_one_file_ends_and_the_next_begins_changes_the_digest(tmp_path: Path):
    one = folder_with(tmp_path / "one", a="12", b="")
    two = folder_with(tmp_path / "two", a="1", b="2")
    three = folder_with(tmp_path / "three", a="12")
    assert len({digest.of_path(each) for each in (one, two, three)}) == 3


def test_a_file_that_holds_the_lines_of_a_folder_has_no_digest(tmp_path: Path):
    """It would be that of the folder."""
    line = f"MLmodel\0{hashlib.sha256(b'flavors').hexdigest()}\n"
    (file := tmp_path / "model").write_text(line)
    assert digest.of_file(file) == digest.of_path(folder_with(tmp_path / "m", MLmodel="flavors"))
    for text in (line, line * 300):
        file.write_text(text)
        with pytest.raises(ValueError, match="lines that a folder is digested as"):
            digest.of_path(file)
    for text in (line + "more", line[:-1], line.replace("\0", " ")):
        file.write_text(text)
        assert digest.of_path(file) == hashlib.sha256(text.encode()).hexdigest()


def test_a_link_to_a_file_counts_as_the_file(tmp_path: Path):
    """As in the folders of model hubs, and as MLflow logs them."""
    plain = folder_with(tmp_path / "plain", weights="12")
    linked = folder_with(tmp_path / "linked", weights="")
    (linked / "weights").unlink()
    (linked / "weights").symlink_to(plain / "weights")
    assert digest.of_path(linked) == digest.of_path(plain)


def test_what_cannot_be_digested_is_an_error_and_not_left_out(tmp_path: Path):
    for place in ("folder", "pipe", "nothing"):
        folder_with(tmp_path / place, MLmodel="flavors")
    (tmp_path / "folder" / "data").symlink_to(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe" / "data")
    (tmp_path / "nothing" / "data").symlink_to(tmp_path / "gone")
    for place in ("folder", "pipe", "nothing"):
        with pytest.raises(ValueError, match="cannot be digested"):
            digest.of_path(tmp_path / place)


def test_renaming_a_file_changes_the_digest(tmp_path: Path):
    one = folder_with(tmp_path / "one", a="same")
    other = folder_with(tmp_path / "other", b="same")
    assert digest.of_path(one) != digest.of_path(other)


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        digest.of_path(tmp_path / "gone")
