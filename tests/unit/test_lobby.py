"""The lobby's pure parts: heads, the memory, the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from pennant_serving.address import Address
from pennant_serving.environ import SettingsError
from pennant_serving.lobby import heads
from pennant_serving.lobby.buffer import PAGE_BYTES, Buffer, Pages
from pennant_serving.lobby.settings import LobbySettings

pytestmark = pytest.mark.unit

TO = {"PENNANT_LOBBY_TO": "news-pods.team.svc:80"}


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def stands_still(waiting: asyncio.Task[Any]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not waiting.done()


def test_a_head_is_passed_on_but_for_what_is_about_the_connection():
    head = (
        b"POST /invocations?a=b HTTP/1.1\r\nHost: pod\r\nConnection: keep-alive,\r\n upgrade\r\n"
        b"Expect: 100-continue\r\nkeep-alive: 5\r\nUpgrade : h2c\r\nX-A: 1\r\n\r\n"
    )
    assert heads.with_close(head) == (
        b"POST /invocations?a=b HTTP/1.1\r\nHost: pod\r\nExpect: 100-continue\r\nX-A: 1\r\n"
        b"connection: close\r\n\r\n"
    )
    assert heads.path_of(head) == "/invocations"


def test_a_head_ends_at_an_empty_line():
    assert heads.end_of_head(b"GET / HTTP/1.1\r\n\r") == 0
    assert heads.end_of_head(b"GET / HTTP/1.1\r\n\r\nbody") == 18


@pytest.mark.parametrize(("status", "is_interim"), [(100, True), (103, True), (200, False)])
def test_an_answer_may_be_still_to_come(status, is_interim):
    assert heads.is_interim(b"HTTP/1.1 %d So\r\n\r\n" % status) is is_interim


def test_what_is_no_request_has_no_path():
    assert heads.path_of(b"NONSENSE\r\n\r\n") == ""


def test_a_connection_has_room_for_a_page_however_full_the_memory_is():
    pages = Pages(8 * PAGE_BYTES)  # two for those that come first

    async def scenario() -> None:
        large, small = Buffer(pages), Buffer(pages)
        for _ in range(7):
            large.add(b"x" * await large.space())
        more = asyncio.create_task(large.space())
        assert await stands_still(more)
        assert await small.space() == PAGE_BYTES
        small.add(b"x" * PAGE_BYTES)
        for_small = asyncio.create_task(small.space())
        assert await stands_still(for_small)
        large.close()
        assert (await more, await for_small) == (PAGE_BYTES, PAGE_BYTES)

    assert pages.places == 2
    run(scenario())


def test_where_the_memory_is_full_a_pod_gets_on_and_the_request_cannot_be_sent_again():
    async def scenario() -> None:
        buffer = Buffer(Pages(4 * PAGE_BYTES))
        for number in range(4):
            buffer.add(bytes([number]) * await buffer.space())
        more = asyncio.create_task(buffer.space())
        buffer.begin()
        assert await stands_still(more)
        assert buffer.is_whole
        sent = await buffer.unsent()
        buffer.sent(len(sent))
        assert await more == PAGE_BYTES
        assert (buffer.is_whole, sent[:1], sent[-1:]) == (False, b"\0", b"\3")

    run(scenario())


def test_what_a_pod_that_is_gone_took_is_not_dropped_while_the_next_one_is_waited_for():
    async def scenario() -> None:
        buffer = Buffer(Pages(4 * PAGE_BYTES))
        buffer.add(b"x" * await buffer.space())
        buffer.begin()
        buffer.sent(len(await buffer.unsent()))
        buffer.stop()
        for _ in range(3):
            buffer.add(b"y" * await buffer.space())
        more = asyncio.create_task(buffer.space())
        assert await stands_still(more)
        assert buffer.is_whole
        buffer.begin()
        assert await buffer.unsent() == b"x" * PAGE_BYTES + b"y" * 3 * PAGE_BYTES
        more.cancel()

    run(scenario())


def test_until_an_answer_all_is_sent_again_and_from_then_on_nothing_stays():
    async def scenario() -> None:
        buffer = Buffer(Pages(4 * PAGE_BYTES))
        buffer.add(b"first")
        for _ in range(2):
            buffer.begin()
            assert await buffer.unsent() == b"first"
            buffer.sent(5)
            buffer.stop()
        buffer.begin()
        assert await buffer.unsent() == b"first"
        buffer.sent(5)
        buffer.settle()
        waiting = asyncio.create_task(buffer.unsent())
        assert await stands_still(waiting)
        buffer.add(b"second")
        assert await waiting == b"second"
        buffer.sent(6)
        assert buffer.content == b""

    run(scenario())


def test_the_time_to_drain_is_that_to_wait_and_to_be_answered():
    read = LobbySettings.from_env(TO | {"PENNANT_LOBBY_MAX_WAIT": "12"})
    assert read == LobbySettings(Address("news-pods.team.svc", 80), max_wait=12, drain_seconds=42)


def test_a_default_is_a_default():
    assert LobbySettings.from_env(TO) == LobbySettings(Address("news-pods.team.svc", 80))


def test_an_address_may_be_one_of_ipv6():
    read = LobbySettings.from_env({"PENNANT_LOBBY_TO": "[::1]:80"})
    assert read.to == Address("::1", 80)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PENNANT_LOBBY_TO", ""),
        ("PENNANT_LOBBY_TO", "news"),
        ("PENNANT_LOBBY_TO", "news:http"),
        ("PENNANT_LOBBY_TO", "http://news:80"),
        ("PENNANT_LOBBY_TO", "news:80/path"),
        ("PENNANT_LOBBY_TO", "a@news:80"),
        ("PENNANT_LOBBY_GRPC_TO", "news:0"),
        ("PENNANT_LOBBY_MAX_WAIT", "0"),
        ("PENNANT_LOBBY_MAX_BYTES", "64Mi"),
        ("PENNANT_LOBBY_MAX_BYTES", "1000"),
    ],
)
def test_a_bad_variable_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        LobbySettings.from_env(TO | {name: value})
