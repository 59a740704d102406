"""Messages are sent one line a notifier, until they are taken, and nobody waits for another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pennant_operator.decide.notify.notifiers import Notifier
from pennant_operator.decide.notify.receipts import ReceiverAnswer
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.receivers import KEY, Post, notifier

pytestmark = pytest.mark.unit

SLACK, TEAMS = notifier(), notifier("teams")


def test_what_waits_is_sent_in_order_and_remembered_until_the_status_knows():
    async def scenario() -> None:
        post = Post()
        post.hold("1", "2", "3")
        async with post.running(SLACK):
            await asyncio.sleep(1)
            assert post.versions() == ["1", "2", "3"]
            assert post.courier.sent(KEY) == {(n, "default", "slack") for n in "123"}
            assert post.looked == [KEY] * 3
            post.hold("1", "2", "3")  # reconciled for another reason
            post.hold("2", "4")
            await asyncio.sleep(1)
            assert post.versions() == ["1", "2", "3", "4"]
            post.hold()
            assert post.courier.sent(KEY) == frozenset()
        assert post.results == {("slack", "delivered"): 4}

    at_once(scenario())


def test_a_receiver_that_does_not_answer_holds_up_nobody_else():
    async def scenario() -> None:
        post = Post()
        post.receivers.answers["slack"] = None
        post.hold("1", "2", to=("slack", "teams"))
        async with post.running(SLACK, TEAMS):
            await asyncio.sleep(0)
            await asyncio.sleep(0.5)
            assert post.versions("teams") == ["1", "2"]
            await asyncio.sleep(100)
            assert post.versions("slack") == []
            post.receivers.answers.clear()
            await asyncio.sleep(300)
            assert sorted(post.versions("slack")) == ["1", "2"]

    at_once(scenario())


def test_tries_come_ever_later_and_trouble_is_told_once_it_lasts_and_once_it_is_over():
    async def scenario() -> None:
        post = Post()
        async with post.running(SLACK):
            await asyncio.sleep(1)
            assert post.reports == [("slack", "")]
            post.receivers.answers["slack"] = ReceiverAnswer(503, "")
            post.hold("1")
            await asyncio.sleep(1000)
            assert 8 <= len(post.receivers.tried) <= 12
            assert len(post.reports) == 2
            assert "the receiver answers 503" in str(post.reports[1][1])
            post.receivers.answers.clear()
            await asyncio.sleep(400)
            assert post.reports[2:] == [("slack", "")]
        assert post.versions() == ["1"]

    at_once(scenario())


def test_one_bad_answer_is_no_trouble_yet_and_a_refusal_is_at_once():
    async def scenario() -> None:
        post = Post()
        async with post.running(SLACK):
            post.receivers.answers["slack"] = None
            post.hold("1")
            await asyncio.sleep(0.5)
            post.receivers.answers.clear()
            await asyncio.sleep(10)
            assert post.reports == [("slack", "")]
            post.receivers.answers["slack"] = ReceiverAnswer(404, "no_service")
            post.hold("2")
            await asyncio.sleep(0.5)
            assert "answers 404 (no_service)" in str(post.courier.trouble("default", "slack"))

    at_once(scenario())


def test_who_asks_to_wait_is_asked_when_it_says_and_has_no_trouble():
    async def scenario() -> None:
        post = Post()
        post.receivers.answers["slack"] = ReceiverAnswer(429, "rate_limited", "90")
        async with post.running(SLACK):
            post.hold("1")
            await asyncio.sleep(80)
            assert len(post.receivers.tried) == 1
            post.receivers.answers.clear()
            await asyncio.sleep(20)
            assert post.versions() == ["1"]
        assert post.results == {("slack", "limited"): 1, ("slack", "delivered"): 1}
        assert post.reports == [("slack", "")]

    at_once(scenario())


def test_what_is_refused_lets_what_comes_after_it_pass():
    async def scenario() -> None:
        post = Post()
        send = post.receivers.send

        async def picky(to: Notifier, url: str, body: Any) -> Any:
            bad = "version 1 " in body["text"]
            post.receivers.answers["slack"] = ReceiverAnswer(400 if bad else 200, "invalid_payload")
            return await send(to, url, body)

        post.receivers.send = picky  # type: ignore[method-assign]
        post.hold("1", "2", "3")
        async with post.running(SLACK):
            await asyncio.sleep(30)
            assert post.versions() == ["2", "3"]
            assert post.results["slack", "refused"] < 8

    at_once(scenario())


@pytest.mark.parametrize(
    ("secret", "trouble"),
    [("", "There is no Secret slack-url"), ("x", "holds no address as url")],
)
def test_a_secret_without_an_address_is_told_before_anything_is_to_be_sent(
    secret: str, trouble: str
):
    async def scenario() -> None:
        post = Post()
        post.receivers.secrets["slack-url"] = secret
        async with post.running(SLACK):
            await asyncio.sleep(1)
            assert trouble in str(post.courier.trouble("default", "slack"))
            post.hold("1")
            post.receivers.secrets.clear()
            await asyncio.sleep(10)
            assert post.courier.trouble("default", "slack") == ""
            assert post.versions() == ["1"]

    at_once(scenario())


def test_a_template_that_cannot_be_used_is_told_and_the_others_are_sent():
    async def scenario() -> None:
        post = Post()
        bad = notifier(template='{"text": "${oops}"}')
        post.hold("1", to=("slack", "teams"))
        async with post.running(bad, TEAMS):
            await asyncio.sleep(1)
            assert "template has ${oops}" in str(post.courier.trouble("default", "slack"))
            assert post.versions("teams") == ["1"]
            assert post.receivers.tried == ["teams"]
        async with post.running(SLACK):  # it was corrected
            await asyncio.sleep(60)
            assert post.versions() == ["1"]

    at_once(scenario())


def test_what_is_late_is_looked_at_and_what_is_given_up_is_counted_and_tried_no_more():
    async def scenario() -> None:
        post = Post()
        post.receivers.answers["slack"] = ReceiverAnswer(404, "no_service")
        post.hold("1")
        async with post.running(SLACK):
            await asyncio.sleep(23 * 3600)
            assert post.looked == []
            await asyncio.sleep(2 * 3600)
            assert set(post.looked) == {KEY}
            post.courier.look(KEY, {}, [("1", "default", "slack")])
            tried = len(post.receivers.tried)
            await asyncio.sleep(3600)
            assert len(post.receivers.tried) == tried
        assert post.results["slack", "given_up"] == 1

    at_once(scenario())


def test_what_was_in_the_way_of_what_is_given_up_stays_told_until_a_message_is_taken():
    async def scenario() -> None:
        post = Post()
        post.receivers.answers["slack"] = ReceiverAnswer(404, "no_service")
        post.hold("1")
        async with post.running(SLACK):
            await asyncio.sleep(1)
            post.hold()
            await asyncio.sleep(1000)
            assert "answers 404 (no_service)" in str(post.courier.trouble("default", "slack"))
            post.receivers.answers.clear()
            post.hold("2")
            await asyncio.sleep(1)
            assert post.courier.trouble("default", "slack") == ""

    at_once(scenario())


def test_of_two_hundred_that_follow_one_alias_each_is_sent_one_at_a_time():
    async def scenario() -> None:
        post = Post()
        keys = [("team", f"rec-{number}") for number in range(200)]
        async with post.running(SLACK):
            for key in keys:
                post.hold(f"{key[1]}", key=key)
            await asyncio.sleep(1)
            assert len(post.versions()) == 200
            assert sorted(set(post.looked)) == sorted(keys)

    at_once(scenario())


def test_who_does_not_lead_any_more_sends_nothing():
    async def scenario() -> None:
        post = Post()
        post.hold("1", "2")
        post.receivers.leads = False
        async with post.running(SLACK):
            await asyncio.sleep(100)
        assert (post.receivers.tried, post.results) == ([], {})

    at_once(scenario())


def test_what_is_not_to_be_seen_for_a_while_is_sent_when_it_is_back():
    async def scenario() -> None:
        post = Post()
        post.hold("1")
        owner = post.store.owner(KEY)
        assert owner is not None
        meta = owner["metadata"]
        post.store.drop("ModelDeployment", *KEY, meta["uid"], post.version)
        async with post.running(SLACK):
            await asyncio.sleep(1)
            assert post.receivers.tried == []
            post.hold("1")
            await asyncio.sleep(1)
            assert post.versions() == ["1"]

    at_once(scenario())


def test_a_modeldeployment_that_is_gone_leaves_nothing_to_send():
    async def scenario() -> None:
        post = Post()
        post.hold("1")
        post.courier.forget(KEY)
        async with post.running(SLACK):
            await asyncio.sleep(100)
        assert post.receivers.tried == []

    at_once(scenario())
