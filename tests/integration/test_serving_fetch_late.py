"""x"""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch, web
from pennant_testing.certificates import Authority
from pennant_testing.mlflow.artifact_server import (
    CONTENT,
    FILE,
    IN_ITS_FOLDER,
    NOTHING_LISTED,
    THE_FILE,
    asked_for_files,
    begin,
    registry,
    settings,
)

pytestmark = pytest.mark.integration


def late(gap: float, over: threading.Event):
    """The first byte after so long, and each further one."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        over.wait(gap)
        begin(handler, 200, FILE | {"Content-Length": str(len(CONTENT))})
        for at in range(0, len(CONTENT), 3):
            over.wait(gap)
            handler.wfile.write(CONTENT[at : at + 3])

    return send


def test_a_slow_answer_is_no_failure_however_little_patience_there_is(tmp_path):
    with registry(late(0.3, threading.Event())) as (url, asked):
        fetch(settings(url, tmp_path, patience=0.1, silence=30.0))
    assert len(asked_for_files(asked)) == 1


def test_a_server_that_is_silent_for_longer_than_allowed_has_failed(tmp_path):
    over = threading.Event()
    try:
        with registry(late(30, over)) as (url, _):
            with pytest.raises(PodError) as raised:
                fetch(settings(url, tmp_path, patience=0.1, silence=0.2))
            over.set()
    finally:
        over.set()
    assert raised.value.reason is Reason.DOWNLOAD_FAILED


def test_a_listing_that_comes_late_is_no_failure_either(tmp_path):
    def slow(handler: BaseHTTPRequestHandler) -> None:
        threading.Event().wait(0.3)
        NOTHING_LISTED(handler)

    with registry(THE_FILE, listings=[slow, IN_ITS_FOLDER[1]]) as (url, asked):
        fetch(settings(url, tmp_path, patience=0.1))
    assert len(asked) == 3


def test_a_server_that_begins_late_with_tls_is_waited_for(tmp_path, monkeypatch):
    """It is busy: the machine accepts the connection, the program does not yet."""
    monkeypatch.setattr(web, "CONNECT_SECONDS", 0.2)
    authority = Authority()
    context = authority.demanding(tmp_path / "tls", authority.issue("mlflow"))
    context.verify_mode = ssl.CERT_NONE
    (tmp_path / "ca.crt").write_text(authority.own.crt)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            threading.Event().wait(0.6)
            with context.wrap_socket(connection, server_side=True) as served:
                served.recv(65536)
                served.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        read = settings(url, tmp_path, patience=0.1, registry_ca=tmp_path / "ca.crt")
        assert web.Web(read).read(url, lambda response: response.read()) == b"{}"
        thread.join()
