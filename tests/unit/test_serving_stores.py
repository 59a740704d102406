"""What fetch makes of addresses in object stores and claims, and of a store's errors."""

from __future__ import annotations

import errno
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from obstore.exceptions import GenericError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import claims, objects
from pennant_serving.fetch.settings import FetchSettings, Wanted
from pennant_serving.fetch.store_errors import explained

pytestmark = pytest.mark.unit

SOURCE = "s3://models/mlflow/1/m"
DEBUG = "\n\nDebug source:\nGeneric { store: S3, secret: sauce }"


def settings(source: str, folder: Path = Path("/models"), **changes: object) -> FetchSettings:
    base = FetchSettings(Wanted("cars", "1", source), folder / "bundle", "http://mlflow:5000")
    return replace(base, **changes)


TLS = "sending request\n\nDebug source:\nerror: InvalidCertificate(\n  UnknownIssuer,\n)"
DOWN = 'sending request\n\nDebug source:\nOs { code: 111, message: "Connection refused" }'


def answered(status: str, code: str) -> str:
    return (
        f"Error performing GET http://s3/models in 1ms - Server returned non-2xx status code: "
        f"{status}: <Error><Code>{code}</Code><Message>So it is.</Message></Error>{DEBUG}"
    )


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        (FileNotFoundError(answered("404 Not Found", "NoSuchKey")), "BundleMissing", "nothing at"),
        (FileNotFoundError(answered("404 Not Found", "BlobNotFound")), "BundleMissing", "nothing"),
        (FileNotFoundError(f"404 Not Found: <html>no</html>{DEBUG}"), "DownloadFailed", "<html>"),
        (FileNotFoundError(answered("404", "NoSuchBucket")), "DownloadFailed", "artifacts.root"),
        (GenericError(answered("404", "ContainerNotFound")), "DownloadFailed", "artifacts.root"),
        (GenericError(answered("403 Forbidden", "AccessDenied")), "CredentialsMissing", "So it is"),
        (
            GenericError(answered("401 Unauthorized", "X")),
            "CredentialsMissing",
            "credentialsSecret",
        ),
        (
            GenericError(answered("400 Bad Request", "ExpiredToken")),
            "CredentialsMissing",
            "Expired",
        ),
        (GenericError(answered("503 Slow Down", "SlowDown")), "DownloadFailed", "SlowDown: So it"),
        (
            GenericError(f"Error performing PUT http://169.254.169.254/latest/api/token{DEBUG}"),
            "CredentialsMissing",
            "no cloud identity",
        ),
        (GenericError(TLS), "DownloadFailed", "(UnknownIssuer): set the registry's caBundle"),
        (GenericError(DOWN), "DownloadFailed", "sending request: Connection refused"),
    ],
)
def test_only_a_missing_object_makes_a_version_look_broken(error, reason, says):
    found = explained(SOURCE, error)
    assert found.reason == reason
    assert says in found.message
    assert "sauce" not in found.message


def test_an_address_names_a_bucket_of_s3_with_the_endpoint_that_was_told():
    store = objects.open_store(settings(SOURCE, s3_endpoint="http://minio:9000"))
    assert isinstance(store, S3Store)
    assert store.config["bucket"] == "models"
    assert store.config["endpoint"] == "http://minio:9000"
    assert store.client_options["allow_http"] == "true"


def test_only_https_is_spoken_unless_the_endpoint_says_otherwise():
    assert objects.open_store(settings(SOURCE)).client_options["allow_http"] == "false"


def test_an_address_names_a_bucket_of_google_cloud_storage(monkeypatch):
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    store = objects.open_store(settings("gs://models/mlflow/1/m"))
    assert isinstance(store, GCSStore)
    assert store.config["bucket"] == "models"


@pytest.mark.parametrize(
    ("source", "endpoint"),
    [
        ("wasbs://models@acc.blob.core.windows.net/x", "https://acc.blob.core.windows.net"),
        ("abfss://models@acc.dfs.core.windows.net/x", "https://acc.blob.core.windows.net"),
        (
            "abfss://models@acc.dfs.core.chinacloudapi.cn/x",
            "https://acc.blob.core.chinacloudapi.cn",
        ),
    ],
)
def test_an_address_names_a_container_account_and_cloud_of_azure(source, endpoint):
    store = objects.open_store(settings(source))
    assert isinstance(store, AzureStore)
    assert (store.config["container_name"], store.config["account_name"]) == ("models", "acc")
    assert store.config["endpoint"] == endpoint


def test_a_folder_is_downloaded_as_it_lies_and_a_single_object_as_a_file(tmp_path, monkeypatch):
    store = MemoryStore()
    store.put("a/m/MLmodel", b"x")
    store.put("a/m/data", b"")  # what some tools store to show a folder
    store.put("a/m/data/50% off.pkl", b"y")
    store.put("a/m-2/MLmodel", b"another's")
    monkeypatch.setattr(objects, "open_store", lambda _: store)
    assert objects.download(settings("s3://models/a/m"), tmp_path) == tmp_path
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"MLmodel", "data/50% off.pkl"}
    one = objects.download(settings("s3://models/a/m/MLmodel"), tmp_path / "one")
    assert one == tmp_path / "one" / "MLmodel"
    assert one.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../escape", "a/../../b", "a//b", "./a", ""])
def test_a_listing_cannot_write_outside_the_bundle(tmp_path, monkeypatch, name):
    class Lying:
        def list(self, prefix: str) -> list[list[dict[str, str]]]:
            return [[{"path": f"{prefix}{name}", "size": 1}]]

    monkeypatch.setattr(objects, "open_store", lambda _: Lying())
    with pytest.raises(PodError, match="not a plain file name") as raised:
        objects.download(settings("s3://models/a/m"), tmp_path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []


class Marked:
    """Has objects whose names end with a slash, which its library lists without."""

    def __init__(self, marks: dict[str, int]) -> None:
        self._store, self._marks = MemoryStore(), marks
        self._store.put("a/m/MLmodel", b"x")
        self._store.put("a/m/data/model.pkl", b"y")

    def list(self, prefix: str) -> list[list[dict[str, Any]]]:
        marked = [{"path": path, "size": size} for path, size in self._marks.items()]
        return [*self._store.list(prefix), marked]

    def get(self, path: str) -> Any:
        return self._store.get(path)


def test_what_only_shows_a_folder_is_no_file_and_its_absence_no_fault(tmp_path, monkeypatch):
    marks = {"a/m": 0, "a/m/data": 0, "a/m/empty": 0}
    monkeypatch.setattr(objects, "open_store", lambda _: Marked(marks))
    objects.download(settings("s3://models/a/m"), tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"MLmodel", "data/model.pkl"}


def test_a_name_of_a_file_and_of_a_folder_is_refused_and_not_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "open_store", lambda _: Marked({"a/m/data": 5}))
    with pytest.raises(PodError, match="as a file of 5 bytes and as a folder") as raised:
        objects.download(settings("s3://models/a/m"), tmp_path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []


class Short(MemoryStore):
    """Hands out other bytes than it lists, so many times."""

    def __new__(cls, times: int, other: bytes) -> Self:
        made = super().__new__(cls)
        made.put("a/m/MLmodel", b"x" * 9)
        made.times, made.other = times, other
        return made

    def get(self, path: str) -> Any:
        self.times -= 1
        if self.times < 0:
            return super().get(path)
        store = MemoryStore()
        store.put(path, self.other)
        return store.get(path)


@pytest.mark.parametrize("source", ["s3://models/a/m", "s3://models/a/m/MLmodel"])
@pytest.mark.parametrize("other", [b"", b"x" * 5, b"x" * 12], ids=["none", "short", "long"])
def test_an_object_of_another_size_than_listed_is_asked_for_again(
    tmp_path, monkeypatch, source, other
):
    monkeypatch.setattr(objects, "open_store", lambda _: Short(1, other))
    bundle = objects.download(settings(source), tmp_path)
    assert (bundle if bundle.is_file() else bundle / "MLmodel").read_bytes() == b"x" * 9
    monkeypatch.setattr(objects, "open_store", lambda _: Short(99, other))
    with pytest.raises(PodError, match="of 9 bytes") as raised:
        objects.download(settings(source, patience=0.1), tmp_path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED


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
    return claims.copy(settings(f"pvc://artifacts/{path}", artifacts_path=claim), folder), folder


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
    place, over, told = claim / "mlflow", threading.Event(), []

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
            read = settings("pvc://artifacts/mlflow/m", artifacts_path=claim)
            try:
                claims.copy(read, target)
            except PodError as error:
                told.append(error.reason)
            assert "secret" not in texts(target)
    finally:
        over.set()
        thread.join()
    assert set(told) <= {Reason.DOWNLOAD_FAILED, Reason.BUNDLE_MISSING}


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
            claims.copy(settings(f"pvc://artifacts/{path}", artifacts_path=claim), folder)
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
