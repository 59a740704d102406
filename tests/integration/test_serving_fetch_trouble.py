"""fetch against servers that misbehave: proxies, redirects, answers that end early."""

from __future__ import annotations

import json
import ssl
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from threading import Thread

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import Credentials
from pennant_testing.certificates import Authority
from pennant_testing.mlflow.artifact_server import (
    IN_ITS_FOLDER,
    THE_FILE,
    SendAnswer,
    answer,
    asked_for_files,
    registry,
    serving,
    settings,
)
from pennant_testing.waiting import WAIT_SECONDS

pytestmark = pytest.mark.integration


def failure(tmp_path, *files: SendAnswer, listings=IN_ITS_FOLDER) -> PodError:
    with registry(*files, listings=listings) as (url, _), pytest.raises(PodError) as raised:
        fetch(settings(url, tmp_path, patience=0.3))
    return raised.value


@pytest.mark.parametrize(
    "page",
    [
        answer(404, "<html>default backend</html>", **{"Content-Type": "text/html"}),
        answer(502, "<html>bad gateway</html>", **{"Content-Type": "text/html"}),
        answer(200, "<html>please log in</html>", **{"Content-Type": "text/html"}),
    ],
    ids=["404", "502", "login"],
)
def test_a_page_of_html_never_makes_a_version_look_broken(tmp_path, page):
    assert failure(tmp_path, THE_FILE, listings=[page]).reason is Reason.DOWNLOAD_FAILED
    assert failure(tmp_path, page).reason is Reason.DOWNLOAD_FAILED


def test_being_refused_asks_for_credentials(tmp_path):
    refused = answer(401, "You are not authenticated")
    found = failure(tmp_path, refused, listings=[refused])
    assert found.reason is Reason.CREDENTIALS_MISSING
    assert "credentialsSecret" in found.message


def test_trouble_that_passes_is_waited_out(tmp_path):
    busy = answer(503, "busy")
    with registry(busy, THE_FILE, listings=[busy, *IN_ITS_FOLDER]) as (url, asked):
        fetched, _ = fetch(settings(url, tmp_path))
    assert fetched.bytes == 9
    assert len(asked) == 5


def test_the_certificate_is_shown_to_the_registry_and_not_along_a_redirect(tmp_path):
    """Both servers ask for one; what else they trust each other for does not matter."""
    authority, seen = Authority(), {}
    client = authority.issue("ann")

    def noted(name: str, then: SendAnswer) -> SendAnswer:
        def give(handler: BaseHTTPRequestHandler) -> None:
            certificate = handler.connection.getpeercert()
            seen.setdefault(name, set()).add(bool(certificate))
            then(handler)

        return give

    def asking(name: str, wants: ssl.VerifyMode) -> ssl.SSLContext:
        made = authority.demanding(tmp_path / name, authority.issue(name))
        made.verify_mode = wants
        return made

    (tmp_path / "ca.crt").write_text(authority.own.crt)
    with serving(noted("other", THE_FILE), asking("other", ssl.CERT_OPTIONAL)) as (other, asked):
        there = noted("registry", answer(302, "", Location=f"{other}/file"))
        listings = [noted("registry", each) for each in IN_ITS_FOLDER]
        demanding = asking("registry", ssl.CERT_REQUIRED)
        with registry(there, listings=listings, context=demanding) as (url, _):
            read = settings(
                url,
                tmp_path / "volume",
                registry_ca=tmp_path / "ca.crt",
                credentials=Credentials(certificate=client.crt, key=client.pem_key),
            )
            fetch(read)
    assert seen == {"registry": {True}, "other": {False}}
    assert len(asked) == 1


def test_credentials_go_to_the_registry_and_not_along_a_redirect(tmp_path):
    with registry(THE_FILE) as (elsewhere, asked_elsewhere):
        redirect = answer(302, "", Location=f"{elsewhere}/file")
        with registry(redirect) as (url, asked):
            fetch(settings(url, tmp_path))
    assert all(handler.headers["Authorization"].startswith("Basic ") for handler in asked)
    assert [handler.headers["Authorization"] for handler in asked_elsewhere] == [None]


NO_ADDRESSES = ("http://[::1", "http://127.0.0.1:abc/x", "http://127.0.0.1:99999/x", "http://a..b/")


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_a_redirect_to_what_is_no_address_is_trouble_on_the_way(tmp_path, address):
    found = failure(tmp_path, answer(302, "", Location=address))
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert "no address" in str(found)


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"files": [{"path": "a", "file_size": 1e400}]}'],
    ids=["nested without end", "a size without end"],
)
def test_a_listing_that_cannot_be_read_is_trouble_on_the_way(tmp_path, body):
    found = failure(tmp_path, THE_FILE, listings=[answer(200, body)])
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert "not MLflow's JSON" in str(found)


def test_an_error_nested_without_end_is_trouble_on_the_way(tmp_path):
    found = failure(tmp_path, answer(400, "[" * 60_000))
    assert found.reason is Reason.DOWNLOAD_FAILED


FOLDER = {"path": "a", "is_dir": True}


@pytest.mark.parametrize(
    ("files", "message"), [([FOLDER], "without end"), ([FOLDER, FOLDER], "a name twice")]
)
def test_a_listing_of_what_no_folder_holds_is_refused(tmp_path, files, message):
    lying = answer(200, json.dumps({"files": files}))
    found = failure(tmp_path, THE_FILE, listings=[lying])
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert message in str(found)


def test_two_that_fetch_to_one_volume_do_so_one_after_the_other(tmp_path):
    def begun(handler: BaseHTTPRequestHandler) -> None:
        second.start()
        THE_FILE(handler)

    with registry(begun, THE_FILE) as (url, asked), ThreadPoolExecutor(1) as pool:
        other = Future()
        second = Thread(target=lambda: other.set_result(fetch(settings(url, tmp_path))))
        first = pool.submit(fetch, settings(url, tmp_path)).result(WAIT_SECONDS)
        assert other.result(WAIT_SECONDS) == (first[0], True)
        second.join()
    assert len(asked_for_files(asked)) == 1


@pytest.mark.parametrize("name", ["../escape", "a/b", "..", "", "\ud800", "a" * 256], ids=repr)
def test_a_listing_cannot_write_outside_the_bundle(tmp_path, name):
    lying = answer(200, json.dumps({"files": [{"path": name, "is_dir": False}]}))
    found = failure(tmp_path, THE_FILE, listings=[lying])
    assert found.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []
