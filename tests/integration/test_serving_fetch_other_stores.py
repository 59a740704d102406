"""Stores that MLflow's client alone knows: a folder, and one whose library is not here."""

from __future__ import annotations

from pathlib import Path

import mlflow.artifacts
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
    (bundle / "model").mkdir()
    (bundle / "model" / "own name").write_bytes(b"!")
    return tmp_path / "store"


def files(folder: Path) -> dict[str, bytes]:
    paths = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in paths}


def test_a_folder_is_the_bundle_whatever_the_client_calls_its_copy(store: Path, tmp_path: Path):
    target = tmp_path / "bundle"
    target.mkdir()
    assert download((store / "model").as_uri(), target) == target
    expected = {"MLmodel": b"flavors: {}", "data/model.pkl": b"weights", "model/own name": b"!"}
    assert files(target) == expected


def test_a_single_file_is_the_bundle(store: Path, tmp_path: Path):
    target = tmp_path / "bundle"
    target.mkdir()
    found = download((store / "model" / "data" / "model.pkl").as_uri(), target)
    assert found.read_bytes() == b"weights"


@pytest.mark.parametrize("path", ["model", "model/data/model.pkl"])
@pytest.mark.parametrize("came", [b"", b"weig", b"weights!"], ids=["none", "short", "long"])
def test_a_file_of_another_size_than_listed_is_the_worlds_fault(
    store: Path, tmp_path: Path, monkeypatch, path: str, came: bytes
):
    """A store's library that does not notice that an answer ends early."""
    (store / "model" / "empty").write_bytes(b"")
    whole = mlflow.artifacts.download_artifacts

    def lossy(**asked: str) -> str:
        folder = whole(**asked)
        for each in (*Path(folder).rglob("model.pkl"), Path(folder)):
            if each.is_file():
                each.write_bytes(came)
        return folder

    (tmp_path / "whole").mkdir()
    download((store / path).as_uri(), tmp_path / "whole")
    target = tmp_path / "bundle"
    target.mkdir()
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", lossy)
    with pytest.raises(PodError, match=rf"model.pkl ended after {len(came)} of 7 bytes") as failed:
        download((store / path).as_uri(), target)
    assert failed.value.reason == Reason.DOWNLOAD_FAILED


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
