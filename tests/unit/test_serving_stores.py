"""What fetch makes of addresses in object stores and claims, and of a store's errors."""

from __future__ import annotations

from typing import Any, Self

import pytest
from obstore.exceptions import GenericError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import objects
from pennant_serving.fetch.store_errors import explained
from pennant_testing.serving.fetch_settings import fetch_settings

pytestmark = pytest.mark.unit

SOURCE = "s3://models/mlflow/1/m"
DEBUG = "\n\nDebug source:\nGeneric { store: S3, secret: sauce }"


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
    store = objects.open_store(fetch_settings(SOURCE, s3_endpoint="http://minio:9000"))
    assert isinstance(store, S3Store)
    assert store.config["bucket"] == "models"
    assert store.config["endpoint"] == "http://minio:9000"
    assert store.client_options["allow_http"] == "true"


def test_only_https_is_spoken_unless_the_endpoint_says_otherwise():
    assert objects.open_store(fetch_settings(SOURCE)).client_options["allow_http"] == "false"


def test_an_address_names_a_bucket_of_google_cloud_storage(monkeypatch):
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    store = objects.open_store(fetch_settings("gs://models/mlflow/1/m"))
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
    store = objects.open_store(fetch_settings(source))
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
    assert objects.download(fetch_settings("s3://models/a/m"), tmp_path) == tmp_path
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"MLmodel", "data/50% off.pkl"}
    one = objects.download(fetch_settings("s3://models/a/m/MLmodel"), tmp_path / "one")
    assert one == tmp_path / "one" / "MLmodel"
    assert one.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../escape", "a/../../b", "a//b", "./a", ""])
def test_a_listing_cannot_write_outside_the_bundle(tmp_path, monkeypatch, name):
    class Lying:
        def list(self, prefix: str) -> list[list[dict[str, str]]]:
            return [[{"path": f"{prefix}{name}", "size": 1}]]

    monkeypatch.setattr(objects, "open_store", lambda _: Lying())
    with pytest.raises(PodError, match="not a plain file name") as raised:
        objects.download(fetch_settings("s3://models/a/m"), tmp_path)
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
    objects.download(fetch_settings("s3://models/a/m"), tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"MLmodel", "data/model.pkl"}


def test_a_name_of_a_file_and_of_a_folder_is_refused_and_not_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "open_store", lambda _: Marked({"a/m/data": 5}))
    with pytest.raises(PodError, match="as a file of 5 bytes and as a folder") as raised:
        objects.download(fetch_settings("s3://models/a/m"), tmp_path)
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
    bundle = objects.download(fetch_settings(source), tmp_path)
    assert (bundle if bundle.is_file() else bundle / "MLmodel").read_bytes() == b"x" * 9
    monkeypatch.setattr(objects, "open_store", lambda _: Short(99, other))
    with pytest.raises(PodError, match="of 9 bytes") as raised:
        objects.download(fetch_settings(source, patience=0.1), tmp_path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
