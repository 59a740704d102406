"""What a receiver's answer means; of its address nothing is ever repeated."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from pennant_operator.decide.notify.receipts import (
    ReceiverAnswer,
    judge_answer,
    no_answer,
    unusable_address,
)
from pennant_testing.memory.object_builders import NOW
from pennant_testing.memory.receivers import notifier

pytestmark = pytest.mark.unit

URL = "https://hooks.example/services/T000/marker"
SLACK = notifier()


@pytest.mark.parametrize(
    ("status", "text", "receipt", "trouble"),
    [
        (200, "ok", "delivered", ""),
        (202, "", "delivered", ""),
        (400, "invalid_payload", "refused", "answers 400 (invalid_payload): it does not take"),
        (404, "no_service", "refused", "answers 404 (no_service): it does not know the address of"),
        (403, "action_prohibited", "refused", "key url in Secret slack-url, or no more"),
        (302, "", "refused", "it redirects, which is not followed: put the final one in place of"),
        (429, "rate_limited", "limited", ""),
        (500, "<html>", "failed", "answers 500: it is tried again by itself"),
    ],
)
def test_each_answer_says_what_to_do_next(status: int, text: str, receipt: str, trouble: str):
    found = judge_answer(SLACK, URL, ReceiverAnswer(status, text), NOW)
    assert found.receipt == receipt
    assert trouble in found.trouble
    assert bool(found.trouble) == bool(trouble)


@pytest.mark.parametrize(
    "text", ["Cannot POST /services/T000/marker", "marker", "services", "a\nb", "x" * 99, "No!"]
)
def test_an_answer_that_repeats_the_address_or_is_no_word_is_not_repeated(text: str):
    found = judge_answer(SLACK, URL, ReceiverAnswer(404, text), NOW)
    assert "(" not in found.trouble
    assert "marker" not in found.trouble


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("1000000", 3600),
        ("9" * 400, 3600),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
    ],
)
def test_it_may_ask_to_wait_for_an_hour_at_most(retry_after: str, seconds: float):
    for status in (429, 503):
        answer = ReceiverAnswer(status, "", retry_after)
        assert judge_answer(SLACK, URL, answer, NOW).pause_seconds == seconds


@pytest.mark.parametrize("url", ["", "ftp://x", "x", "http://", "http://[", "http://a b", "//a"])
def test_what_is_no_address_is_named_by_its_secret_and_not_repeated(url: str):
    found = unusable_address(SLACK, url)
    assert found == (
        "Secret slack-url holds no address as url: put the receiver's http or https address there"
    )


def test_an_address_may_have_a_query_a_user_and_a_port():
    assert unusable_address(SLACK, "https://u:p@a.example:8443/x?sig=%2F") == ""
    assert "cannot be reached (ECONNREFUSED)" in no_answer(SLACK, "ECONNREFUSED").trouble
