"""One message over real sockets: what each kind of receiver makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pennant_dev.ports import free_port
from pennant_operator.act import messages
from pennant_operator.act.messages import Sender
from pennant_operator.decide.notify.receipts import SendOutcome
from pennant_testing.memory.receivers import notifier
from pennant_testing.slack import Slack, slack

pytestmark = pytest.mark.integration


@pytest.fixture
def receiver() -> Iterator[Slack]:
    with slack() as started:
        yield started


def sent(url: str, body: object = None) -> SendOutcome:
    async def sending() -> SendOutcome:
        sender = Sender(lambda: datetime.now(UTC))
        try:
            return await sender.send(notifier(), url, {"text": "hello"} if body is None else body)
        finally:
            await sender.close()

    return asyncio.run(sending())


def test_slack_takes_a_text(receiver: Slack):
    assert sent(receiver.url).receipt == "delivered"
    assert receiver.texts() == ["hello"]


def test_an_address_is_asked_as_it_is_written(receiver: Slack):
    """A signature in it may be spoilt by any other way to write the same."""
    url = receiver.url.replace("/services/", "/services/%2F..%2f?sig=a%2Bb%2F+c&x=%7e#part")
    assert sent(url).receipt == "refused"
    assert receiver.tried == 1


@pytest.mark.parametrize(
    ("mood", "receipt", "trouble"),
    [
        ("gone", "refused", "the receiver answers 404 (no_service): it does not know the address"),
        ("echoes", "refused", "the receiver answers 404: it does not know the address of key url"),
        ("redirects", "refused", "the receiver answers 302: it redirects, which is not followed"),
        ("fails", "failed", "the receiver answers 503: it is tried again by itself"),
        ("endless", "delivered", ""),
        ("limits", "limited", ""),
    ],
)
def test_what_a_receiver_does_is_understood_and_its_address_never_repeated(
    receiver: Slack, mood: str, receipt: str, trouble: str
):
    receiver.mood = mood
    found = sent(receiver.url)
    assert found.receipt == receipt
    assert found.trouble.startswith(trouble)
    assert "MARKER" not in repr(found)
    assert found.pause_seconds == (1 if mood == "limits" else 0)
    assert receiver.tried == 1


def test_a_body_that_slack_does_not_take_is_the_templates_fault(receiver: Slack):
    assert "400 (no_text): it does not take this body" in sent(receiver.url, {"a": 1}).trouble


def test_one_that_hangs_is_left_after_its_time(receiver: Slack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "SEND_SECONDS", 0.2)
    receiver.mood = "hangs"
    assert "cannot be reached (no answer within" in sent(receiver.url).trouble


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:{port}/MARKER", "ECONNREFUSED"),
        ("http://receiver.invalid/MARKER", "there is no such host"),
        ("https://[::1/MARKER", "Error"),
    ],
)
def test_where_nobody_is_nothing_of_the_address_is_repeated(url: str, why: str):
    found = sent(url.format(port=free_port()))
    assert found.receipt == "failed"
    assert why in found.trouble
    assert not {"MARKER", "127.0.0.1", "receiver.invalid"} & set(found.trouble.split())
    assert "MARKER" not in found.trouble


def test_no_proxy_of_the_environment_is_told(receiver: Slack, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert sent(receiver.url).receipt == "delivered"
