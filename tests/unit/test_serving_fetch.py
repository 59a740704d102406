"""What fetch decides before and after the network: settings, sources, answers, the volume."""

from __future__ import annotations

import io
import json
import socket
from email.message import Message
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from pennant_serving.environ import SettingsError
from pennant_serving.failures import MESSAGE_BYTES, PodError, Reason, failure_message
from pennant_serving.fetch import fetch, volume
from pennant_serving.fetch.answers import Trouble, judge
from pennant_serving.fetch.connections import wait_long
from pennant_serving.fetch.patience import Patience
from pennant_serving.fetch.settings import Credentials, FetchSettings, Wanted
from pennant_serving.fetch.verifying import check_source
from pennant_serving.fetch.web import Redirects, Web, authorization, same_server
from pennant_testing.serving.app_builders import on_volume

pytestmark = pytest.mark.unit

ENVIRONMENT = {
    "PENNANT_MODEL_NAME": "iris",
    "PENNANT_MODEL_VERSION": "7",
    "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/m/artifacts",
    "PENNANT_REGISTRY_URL": "http://mlflow:5000/",
}


def settings(**variables: str) -> FetchSettings:
    return FetchSettings.from_env(ENVIRONMENT | variables)


def refused(code: int, body: object) -> HTTPError:
    text = body if isinstance(body, str) else json.dumps(body)
    return HTTPError("http://mlflow/x", code, "", Message(), io.BytesIO(text.encode()))


def reason(code: int, body: object) -> Reason | None:
    judged = judge("http://mlflow/x", refused(code, body))
    return None if isinstance(judged, Trouble) else judged.reason


def test_settings_are_read_from_the_environment():
    read = settings(
        PENNANT_MODEL_SHA256="AB", PENNANT_ALLOWED_SOURCES="s3://a, gs://b", PENNANT_NEW="1"
    )
    assert read.wanted == Wanted("iris", "7", "mlflow-artifacts:/1/m/artifacts")
    assert read.registry_url == "http://mlflow:5000"
    assert read.allowed_sources == ("s3://a", "gs://b")
    assert read.expected_digests == (("the version's tag pennant.sha256", "ab"),)


def test_an_s3_endpoint_is_known_by_mlflows_name_and_by_the_aws_tools():
    assert settings().s3_endpoint is None
    read = settings(AWS_ENDPOINT_URL="https://b", MLFLOW_S3_ENDPOINT_URL="http://a")
    assert read.s3_endpoint == "http://a"
    assert settings(AWS_ENDPOINT_URL="https://b").s3_endpoint == "https://b"


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name):
    with pytest.raises(SettingsError, match=name):
        settings(**{name: ""})


@pytest.mark.parametrize("url", ["mlflow:5000", "file:///x", "http://user:secret@mlflow"])
def test_a_registry_address_must_be_http_and_without_credentials(url):
    with pytest.raises(SettingsError, match="PENNANT_REGISTRY_URL") as raised:
        settings(PENNANT_REGISTRY_URL=url)
    assert "secret" not in str(raised.value)


def test_a_source_that_the_rule_refuses_is_told_by_its_reason():
    with pytest.raises(PodError, match=r"source 's3://other/x' is none of the allowed") as raised:
        check_source("s3://other/x", ("mlflow-artifacts:/",))
    assert raised.value.reason is Reason.SOURCE_NOT_ALLOWED


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, Reason.BUNDLE_MISSING),
        (400, {"detail": "Artifact path refers to a directory"}, Reason.BUNDLE_MISSING),
        (404, "<html>no backend</html>", None),
        (404, {"error": "not found"}, None),
        (401, "You are not authenticated", Reason.CREDENTIALS_MISSING),
        (403, {"error_code": "PERMISSION_DENIED"}, Reason.CREDENTIALS_MISSING),
        (403, "Invalid Host header - possible DNS rebinding", Reason.DOWNLOAD_FAILED),
        (400, {"error_code": "INVALID_PARAMETER_VALUE"}, Reason.DOWNLOAD_FAILED),
        (429, "", None),
        (503, "", None),
    ],
)
def test_only_mlflows_own_words_make_a_version_look_broken(code, body, expected):
    assert reason(code, body) is expected


@pytest.mark.parametrize(
    ("new", "carried"),
    [
        ("http://mlflow/other", True),
        ("https://mlflow/other", True),
        ("http://mlflow:8080/other", False),
        ("http://elsewhere/other", False),
    ],
)
def test_credentials_stay_with_the_registry_on_a_redirect(new, carried):
    request = Request("http://mlflow/path")
    request.add_unredirected_header("Authorization", "Bearer secret")
    followed = Redirects().redirect_request(request, io.BytesIO(), 302, "", Message(), new)
    assert followed is not None
    assert followed.has_header("Authorization") is carried


@pytest.mark.parametrize(
    ("registry", "url", "own"),
    [
        ("https://mlflow", "https://mlflow/x", True),
        ("https://mlflow", "https://MLflow:443/x", True),
        ("https://mlflow", "https://mlflow:8443/x", False),
        ("https://mlflow:8443", "https://mlflow/x", False),
        ("https://mlflow", "http://mlflow/x", False),
        ("https://mlflow", "https://mlflow.evil/x", False),
        ("https://mlflow", "https://mlflow@evil/x", False),
        ("http://mlflow", "https://mlflow/x", True),
        ("http://mlflow:5000", "https://mlflow:5000/x", False),
    ],
)
def test_the_registrys_own_address_is_told_from_others(registry, url, own):
    assert same_server(registry, url) is own


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:,x"])
def test_only_http_is_spoken(url):
    with pytest.raises(PodError, match="unknown url type"):
        Web(settings(PENNANT_FETCH_PATIENCE="0.1")).read(url, lambda _: None)


def test_a_silent_peer_is_asked_whether_it_lives():
    with socket.socket() as connection:
        wait_long(connection, 600)
        assert connection.gettimeout() == 600
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        found = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert found[0] + found[1] * found[2] == 30


def test_patience_counts_silence_and_pauses_and_is_whole_again_after_news():
    now = [0.0]
    patience = Patience(10, lambda: now[0])
    patience.task()
    patience.attempt()
    now[0] = 60
    patience.heard(news=False)
    now[0] = 69
    assert patience.failed() == 0.2
    patience.attempt()
    now[0] = 70
    assert patience.failed() is None
    patience.heard(news=True)
    assert [patience.failed() for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, None, None]


def test_a_user_name_wins_over_a_token_and_secrets_are_not_shown():
    assert authorization(Credentials("ann", "pw", "token")) == "Basic YW5uOnB3"
    assert authorization(Credentials(token="token")) == "Bearer token"
    assert authorization(Credentials()) is None
    assert "pw" not in repr(Credentials("ann", "pw"))


def test_a_ca_file_that_is_absent_or_empty_counts_as_unset_and_a_damaged_one_does_not(tmp_path):
    ca = tmp_path / "ca.crt"
    assert settings(PENNANT_REGISTRY_CA=str(ca)).registry_ca is None
    ca.write_text("")
    assert settings(PENNANT_REGISTRY_CA=str(ca)).registry_ca is None
    ca.write_text("not a certificate")
    with pytest.raises(PodError, match="PENNANT_REGISTRY_CA"):
        Web(settings(PENNANT_REGISTRY_CA=str(ca)))


def test_a_bundle_that_verifies_needs_no_network(tmp_path):
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "MLmodel").write_text("x")
    found = on_volume(path)
    read = settings(PENNANT_MODEL_PATH=str(path), PENNANT_REGISTRY_URL="http://127.0.0.1:9")
    assert fetch(read) == (found, True)


def test_what_the_digest_does_not_count_is_not_kept_on_the_volume(tmp_path):
    path = tmp_path / "bundle"
    (path / "sub" / "empty").mkdir(parents=True)
    (path / "none" / "at" / "all").mkdir(parents=True)
    for name in ("MLmodel", "registered_model_meta", "sub/registered_model_meta"):
        (path / name).write_text(name)
    found = on_volume(path)
    assert volume.verified(settings().wanted, path) == found
    kept = {str(each.relative_to(path)) for each in path.rglob("*")}
    assert kept == {"MLmodel", "sub", "sub/registered_model_meta"}


@pytest.mark.parametrize(
    "changes",
    [{"version": "8"}, {"source": "mlflow-artifacts:/1/other"}, {"digest": "00"}, {"format": 2}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_bundle_of_something_else_does_not_count(tmp_path, changes):
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "MLmodel").write_text("x")
    on_volume(path, **changes)
    assert volume.verified(settings().wanted, path) is None


def test_a_bundle_on_the_volume_that_is_not_the_pinned_one_is_a_mismatch(tmp_path):
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "MLmodel").write_text("x")
    on_volume(path)
    with pytest.raises(PodError, match="pinned at this revision's first rollout") as raised:
        fetch(settings(PENNANT_MODEL_PATH=str(path), PENNANT_PINNED_SHA256="00"))
    assert raised.value.reason is Reason.DIGEST_MISMATCH


def test_a_failure_message_is_cut_to_what_the_kubelet_keeps():
    for text in ("x" * 9000, "é\n" * 9000):
        message = failure_message(PodError(Reason.LOAD_FAILED, text))
        assert len(message) <= MESSAGE_BYTES
        assert json.loads(message)["reason"] == "LoadFailed"
