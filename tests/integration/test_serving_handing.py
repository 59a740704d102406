"""A request that is handed over to a candidate which answers in every odd way."""

from __future__ import annotations

import asyncio

import pytest

from pennant_serving.address import Address
from pennant_serving.admission import ALL_BODIES_LIMIT_BYTES, BODY_LIMIT_BYTES
from pennant_serving.traffic.upstream import AT_ONCE_LIMIT
from pennant_testing.serving.handing_pods import BODY, Answered, Pod
from pennant_testing.serving.odd_candidates import (
    CLOSES,
    HANGS,
    RESETS,
    OddCandidate,
    odd_candidate,
)

pytestmark = pytest.mark.integration

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-pennant-version: 8\r\n\r\ntheirs"[:-1]
HEAD = ANSWER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        [CLOSES],
        [b"no HTTP at all\r\n\r\n"],
        [HEAD, b"the"],
        [HEAD, b"the", CLOSES],
        [HEAD, HANGS],
        [HANGS],
        [CHUNKED[:20], CLOSES],
        [b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"],
        [b"HTTP/1.1 404 no\r\ncontent-length: 2\r\n\r\nno"],
        [b"HTTP/1.1 302 there\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"],
        [b"HTTP/1.1 101 other\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\ntheir"],
        [HEAD[:-2], *[b"x-more: %s\r\n" % (b"x" * 1000)] * 1000, b"\r\ntheir"],
        [b"HTTP/1.1 103 Early Hints\r\nlink: %s\r\n\r\n" % (b"x" * 1000)] * 1000 + [ANSWER],
    ],
)
def test_whatever_is_no_whole_answer_is_answered_here_from_the_same_bytes(answer: list[bytes]):
    async def scenario() -> None:
        async with odd_candidate(answer) as candidate:
            pod = Pod(candidate.address, seconds=0.3)
            answered = await pod.asked(BODY[:5], BODY[5:])
            assert (answered.status, answered.body, pod.own_bodies) == (200, b"own", [BODY])
            assert pod.counts() == {"5xx": 1}

    asyncio.run(scenario())


def test_where_nobody_listens_it_is_answered_here():
    async def scenario() -> None:
        async with odd_candidate([ANSWER]) as candidate:
            address = candidate.address
        pod = Pod(address)
        assert (await pod.asked()).body == b"own"
        assert pod.counts() == {"5xx": 1}

    asyncio.run(scenario())


def test_what_can_be_no_hosts_name_is_nobody_who_listens():
    async def scenario() -> None:
        pod = Pod(Address("news..svc", 80))
        assert (await pod.asked()).body == b"own"
        assert pod.counts() == {"5xx": 1}

    asyncio.run(scenario())


def test_what_neither_answers_is_nobodys_fault():
    async def scenario() -> None:
        async with odd_candidate([b"HTTP/1.1 400 no\r\ncontent-length: 0\r\n\r\n"]) as candidate:
            pod = Pod(candidate.address, status=400)
            assert (await pod.asked()).status == 400
            assert pod.counts() == {"4xx": 1}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ([ANSWER], b"their"),
        ([HEAD[:9], HEAD[9:], b"th", b"eir"], b"their"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER], b"their"),
        ([CHUNKED, b"2\r\nth\r\n", b"3\r\neir\r\n0\r\n\r\n"], b"their"),
        ([b"HTTP/1.1 200 OK\r\n\r\nth", b"eir", CLOSES], b"their"),
        ([b"HTTP/1.0 200 OK\r\n\r\ntheir", CLOSES], b"their"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
        ([b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"], b""),
        ([ANSWER + b"HTTP/1.1 500 no\r\ncontent-length: 3\r\nx-no: 1\r\n\r\nno!"], b"their"),
        ([CHUNKED + b"5\r\ntheir\r\n0\r\nx-no: 1\r\n\r\n"], b"their"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: %s5\r\n\r\ntheir" % (b"0" * 5000)], b"their"),
    ],
)
def test_an_answer_is_passed_on_however_it_is_framed(answer: list[bytes], body: bytes):
    async def scenario() -> None:
        async with odd_candidate(answer) as candidate:
            pod = Pod(candidate.address)
            answered = await pod.asked()
            headers = dict(answered.headers)
            assert (answered.body, b"x-no" in headers) == (body, False)
            assert headers.get(b"content-length", b"%d" % len(body)).lstrip(b"0") in (
                b"%d" % len(body),
                b"",
            )
            assert (pod.own_bodies, pod.counts()) == ([], {"2xx": 1})

    asyncio.run(scenario())


def test_request_and_answer_keep_their_headers_but_those_of_one_connection():
    async def scenario() -> tuple[OddCandidate, Answered]:
        head = HEAD[:-2] + b"connection: x-hop\r\nx-hop: 1\r\nx-kept: 2\r\n\r\n"
        async with odd_candidate([head, b"their"]) as candidate:
            sent = (
                *((b"te", b"trailers"), (b"connection", b"keep-alive, x-mine"), (b"x-mine", b"3")),
                *((b"content-length", b"22"), (b"expect", b"100-continue")),
                *((b"authorization", b"me"), (b"content-encoding", b"identity")),
            )
            return candidate, await Pod(candidate.address).asked(headers=sent)

    candidate, answered = asyncio.run(scenario())
    (asked,) = candidate.asked
    assert asked.split(b"\r\n") == [
        *(b"POST /invocations?a=1 HTTP/1.1", b"host: news", b"authorization: me"),
        *(b"content-encoding: identity", b"pennant-handed-over: r8", b"content-length: 22"),
        *(b"", BODY),
    ]
    assert dict(answered.headers) == {
        b"content-length": b"5", b"x-pennant-version": b"8", b"x-kept": b"2",
    }  # fmt: skip


def test_a_stream_is_passed_on_as_it_comes_and_breaks_off_where_it_breaks_off():
    async def scenario() -> None:
        async with odd_candidate([CHUNKED, b"2\r\nth\r\n", CLOSES]) as candidate:
            with pytest.raises(ConnectionError, match="broke off"):
                await Pod(candidate.address).asked()

    asyncio.run(scenario())


def test_an_answer_without_length_that_is_reset_breaks_off():
    async def scenario() -> None:
        async with odd_candidate([b"HTTP/1.1 200 OK\r\n\r\nth", RESETS]) as candidate:
            with pytest.raises(ConnectionError, match="broke off"):
                await Pod(candidate.address).asked()

    asyncio.run(scenario())


def test_where_too_much_is_waited_for_an_answer_is_passed_on_as_it_comes():
    half = [b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n", b"x" * 60_000, CLOSES]

    async def scenario() -> None:
        async with odd_candidate(half) as candidate:
            pod = Pod(candidate.address)
            assert (await pod.asked()).body == b"own"
            assert pod.waiting.bytes == 0
            pod.waiting.bytes = ALL_BODIES_LIMIT_BYTES
            with pytest.raises(ConnectionError, match="broke off"):
                await pod.asked()
            assert pod.waiting.bytes == ALL_BODIES_LIMIT_BYTES

    asyncio.run(scenario())


def test_a_long_stream_is_passed_on_whole():
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    async def scenario() -> None:
        async with odd_candidate([CHUNKED, *[piece] * 64, b"0\r\n\r\n"]) as candidate:
            assert len((await Pod(candidate.address).asked()).body) == 64 * 65536

    asyncio.run(scenario())


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_costs_nothing():
    async def scenario() -> None:
        async with odd_candidate([ANSWER], [ANSWER, CLOSES], [ANSWER], [CLOSES], [ANSWER]) as odd:
            pod = Pod(odd.address)
            for _ in range(4):
                assert (await pod.asked()).body == b"their"
            # The fourth was closed as it was asked, and is asked once more, on a fresh one.
            assert (len(odd.asked), odd.connections) == (5, 3)
            assert pod.counts() == {"2xx": 4}

    asyncio.run(scenario())


def test_a_candidate_that_hangs_gets_no_more_requests_than_it_may_have_at_once():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as candidate:
            pod = Pod(candidate.address, seconds=1.0)
            asked = [pod.asked() for _ in range(AT_ONCE_LIMIT + 20)]
            assert {each.body for each in await asyncio.gather(*asked)} == {b"own"}
            assert len(candidate.asked) == AT_ONCE_LIMIT
            assert pod.counts() == {"5xx": AT_ONCE_LIMIT + 20}

    asyncio.run(scenario())


def test_its_body_is_admitted_as_any_and_what_may_not_be_held_is_left_to_the_application():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as candidate:
            pod = Pod(candidate.address, seconds=0.5)
            asking = asyncio.create_task(pod.asked(b"x" * 100))
            await candidate.was_asked.wait()
            assert pod.admission.bytes == 100
            await asking
            assert pod.admission.bytes == 0
            pod.admission.bytes = ALL_BODIES_LIMIT_BYTES
            assert (await pod.asked(b"x" * 70_000, b"y")).body == b"own"
            too_long = (b"content-length", b"%d" % (BODY_LIMIT_BYTES + 1))
            assert (await pod.asked(headers=(too_long,))).body == b"own"
            assert len(candidate.asked) == 1

    asyncio.run(scenario())


def test_a_client_that_leaves_ends_what_was_asked_for_it():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as candidate:
            pod = Pod(candidate.address)
            asking = asyncio.create_task(pod.asked())
            await candidate.was_asked.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert (pod.admission.bytes, pod.counts(), pod.own_bodies) == (0, {}, [])

    asyncio.run(scenario())
