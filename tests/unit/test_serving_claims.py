"""Bundles that are copied from a claim, and what in one is refused."""

from __future__ import annotations

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import claims
from pennant_testing.serving.fetch_settings import fetch_settings

pytestmark = pytest.mark.unit


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    folder = tmp_path / "claim" / "mlflow" / "m"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("x")
    (folder / "data" / "model.pkl").write_text("y")
    return tmp_path / "claim"


def copied(claim: Path, path: str) -> tuple[Path, Path]:
    folder = claim.parent / "bundle"
    folder.mkdir()
    return claims.copy(
        fetch_settings(f"pvc://artifacts/{path}", artifacts_path=claim), folder
    ), folder


def test_a_folder_of_a_claim_is_copied(claim):
    bundle, folder = copied(claim, "mlflow/m")
    assert bundle == folder
    assert (folder / "data" / "model.pkl").read_text() == "y"


def test_a_file_of_a_claim_is_copied(claim):
    bundle, folder = copied(claim, "mlflow/m/MLmodel")
    assert bundle == folder / "MLmodel"
    assert bundle.read_text() == "x"


@pytest.mark.parametrize("path", ["mlflow/gone", "mlflow/m/gone.pkl", "mlflow/empty"])
def test_what_is_not_in_the_claim_is_missing(claim, path):
    (claim / "mlflow" / "empty").mkdir()
    with pytest.raises(PodError) as raised:
        copied(claim, path)
    assert raised.value.reason is Reason.BUNDLE_MISSING


@pytest.mark.parametrize("link", ["mlflow/m/data/link", "mlflow/m"])
def test_a_symbolic_link_is_not_followed(claim, tmp_path, link):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "MLmodel").write_text("secret")
    (claim / "mlflow" / "m").rename(claim / "kept") if link == "mlflow/m" else None
    (claim / link).symlink_to(tmp_path / "secret")
    with pytest.raises(PodError, match="symbolic link"):
        copied(claim, "mlflow/m")
    assert list((tmp_path / "bundle").iterdir()) == []


def swap(path: Path, secret: Path) -> None:
    path.rename(path.with_name("kept"))
    path.symlink_to(secret)


def swapped_after_the_check(monkeypatch, path: Path, secret: Path) -> None:
    checked = claims._check

    def check(found: int) -> None:
        checked(found)
        swap(path, secret)

    monkeypatch.setattr(claims, "_check", check)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    for name in ("MLmodel", "model.pkl", "m/MLmodel", "m/data/model.pkl", "data/model.pkl"):
        (tmp_path / "secret" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "secret" / name).write_text("secret")
    return tmp_path / "secret"


def texts(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("place", "there"), [("data", "data"), ("MLmodel", "MLmodel")])
def test_a_link_that_comes_between_the_check_and_the_copy_is_not_followed(
    claim, secret, monkeypatch, place, there
):
    swapped_after_the_check(monkeypatch, claim / "mlflow" / "m" / place, secret / there)
    with pytest.raises(PodError, match="symbolic link") as raised:
        copied(claim, "mlflow/m")
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
    assert "secret" not in texts(claim.parent / "bundle")


@pytest.mark.parametrize("place", ["mlflow", "mlflow/m"])
def test_what_was_looked_at_is_copied_whatever_its_path_leads_to_by_then(
    claim, secret, monkeypatch, place
):
    swapped_after_the_check(monkeypatch, claim / place, secret)
    _, folder = copied(claim, "mlflow/m")
    assert texts(folder) == {"x", "y"}


def test_a_folder_that_is_a_link_now_and_then_never_leads_out(claim, secret, tmp_path):
    """Against somebody who does nothing but swap it, all the while."""
    place, over, reasons = claim / "mlflow", threading.Event(), []

    def keep_swapping() -> None:
        while not over.is_set():
            swap(place, secret)
            place.unlink()
            place.with_name("kept").rename(place)

    thread = threading.Thread(target=keep_swapping)
    thread.start()
    try:
        for at in range(200):
            (target := tmp_path / f"bundle{at}").mkdir()
            read = fetch_settings("pvc://artifacts/mlflow/m", artifacts_path=claim)
            try:
                claims.copy(read, target)
            except PodError as error:
                reasons.append(error.reason)
            assert "secret" not in texts(target)
    finally:
        over.set()
        thread.join()
    assert set(reasons) <= {Reason.DOWNLOAD_FAILED, Reason.BUNDLE_MISSING}


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("path", ["mlflow/m", "mlflow/m/data/odd"])
def test_what_is_neither_a_file_nor_a_folder_is_refused_and_not_waited_for(claim, kind, path):
    odd = claim / "mlflow" / "m" / "data" / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(odd))
    with pytest.raises(PodError, match="neither a file nor a folder") as raised:
        copied(claim, path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED


def test_a_path_through_a_link_or_upwards_is_refused_and_through_a_file_missing(claim, secret):
    (claim / "link").symlink_to(secret)
    folder = claim.parent / "bundle"
    folder.mkdir()
    for path, reason in (
        ("link/m", Reason.DOWNLOAD_FAILED),
        ("mlflow/../../secret/m", Reason.DOWNLOAD_FAILED),
        ("mlflow/m/MLmodel/m", Reason.BUNDLE_MISSING),
    ):
        with pytest.raises(PodError) as raised:
            claims.copy(fetch_settings(f"pvc://artifacts/{path}", artifacts_path=claim), folder)
        assert raised.value.reason is reason
    assert list(folder.iterdir()) == []


def test_a_file_that_is_written_to_while_it_is_copied_is_the_worlds_fault(claim, monkeypatch):
    """Also where whoever writes to it never ends."""
    chunks = claims._chunks

    def while_written(source, most):
        for chunk in chunks(source, most):
            with (claim / "mlflow" / "m" / "MLmodel").open("a") as file:
                file.write("more")
            yield chunk

    monkeypatch.setattr(claims, "_chunks", while_written)
    with pytest.raises(PodError, match="changed while it was copied") as raised:
        copied(claim, "mlflow/m/MLmodel")
    assert raised.value.reason is Reason.DOWNLOAD_FAILED


def test_what_cannot_be_read_is_the_claims_fault_and_not_the_volumes(claim, monkeypatch):
    def broken(_):
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(claims.os, "listdir", broken)
    with pytest.raises(PodError, match="cannot be read") as raised:
        copied(claim, "mlflow/m")
    assert raised.value.reason is Reason.DOWNLOAD_FAILED


def test_a_claim_that_is_not_mounted_is_the_worlds_fault(tmp_path):
    with pytest.raises(PodError, match="is not mounted") as raised:
        copied(tmp_path / "nowhere", "x")
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
