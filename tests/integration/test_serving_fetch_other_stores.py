"""Stores that MLflow's client alone knows: a folder, and one whose library is not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.stores import download

pytestmark = pytest.mark.integration


@pytest.fixture
def store(tmp_path: Path) -> Path:
    bundle = tmp_path / "store" / "model"
    (bundle / "data").mkdir(parents=True)
    (bundle / "MLmodel").write_text("flavors: {}")
    (bundle / "data" / "model.pkl").write_bytes(b"weights")
    return tmp_path / "store"


def files(folder: Path) -> dict[str, bytes]:
    found = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def test_a_folder_is_the_bundle_whatever_the_client_calls_its_copy(store: Path, tmp_path: Path):
    target = tmp_path / "bundle"
    target.mkdir()
    assert download((store / "model").as_uri(), target) == target
    assert files(target) == {"MLmodel": b"flavors: {}", "data/model.pkl": b"weights"}


def test_a_single_file_is_the_bundle(store: Path, tmp_path: Path):
    target = tmp_path / "bundle"
    target.mkdir()
    found = download((store / "model" / "data" / "model.pkl").as_uri(), target)
    assert found.read_bytes() == b"weights"


def test_an_empty_folder_is_no_bundle(store: Path, tmp_path: Path):
    (store / "empty").mkdir()
    with pytest.raises(PodError) as failed:
        download((store / "empty").as_uri(), tmp_path / "bundle")
    assert failed.value.reason == Reason.BUNDLE_MISSING
    assert f"there is nothing at {(store / 'empty').as_uri()}" in str(failed.value)


def test_a_store_whose_library_is_not_there_is_told_with_what_lacks(tmp_path: Path):
    with pytest.raises(PodError) as failed:
        download("sftp://nobody@127.0.0.1:9/models/1", tmp_path / "bundle")
    assert failed.value.reason == Reason.DOWNLOAD_FAILED
    assert "the image that runs fetch lacks this store's library" in str(failed.value)
