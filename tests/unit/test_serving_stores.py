"""What fetch makes of addresses in object stores and claims, and of a store's errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from obstore.exceptions import GenericError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import claims, objects
from pennant_serving.fetch.settings import Settings, Wanted
from pennant_serving.fetch.store_errors import explained

pytestmark = pytest.mark.unit

SOURCE = "s3://models/mlflow/1/m"
DEBUG = "\n\nDebug source:\nGeneric { store: S3, secret: sauce }"


def settings(source: str, folder: Path = Path("/models"), **changes: object) -> Settings:
    base = Settings(Wanted("cars", "1", source), folder / "bundle", "http://mlflow:5000")
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
            return [[{"path": f"{prefix}{name}"}]]

    monkeypatch.setattr(objects, "open_store", lambda _: Lying())
    with pytest.raises(PodError, match="not a plain file name") as raised:
        objects.download(settings("s3://models/a/m"), tmp_path)
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []


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


def test_a_claim_that_is_not_mounted_is_the_worlds_fault(tmp_path):
    with pytest.raises(PodError, match="is not mounted") as raised:
        copied(tmp_path / "nowhere", "x")
    assert raised.value.reason is Reason.DOWNLOAD_FAILED
