"""The digest of a bundle: what changes it and what does not."""

from __future__ import annotations

import hashlib
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


def test_renaming_a_file_changes_the_digest(tmp_path: Path):
    one = folder_with(tmp_path / "one", a="same")
    other = folder_with(tmp_path / "other", b="same")
    assert digest.of_path(one) != digest.of_path(other)


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        digest.of_path(tmp_path / "gone")
