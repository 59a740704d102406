"""Copies for a challenger: what they are compared to, and that they cost nobody an answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from pennant_serving.address import Address
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.recent.sample import BODY_LIMIT_BYTES
from pennant_serving.traffic.counting import Tallies
from pennant_serving.traffic.mirroring import AT_ONCE, WAITING_LIMIT, Mirroring
from pennant_serving.traffic.shares import Mirror, Shares
from pennant_serving.traffic.upstream import Upstream
from pennant_testing.serving.moody_pods import moody
from pennant_testing.serving.odd_candidates import CLOSES, HANGS, odd_candidate
from pennant_testing.serving.shared_traffic import linear, sharing
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

BODY = b'{"instances": [[1.0]]}'


def predictions(*values: float) -> list[bytes]:
    body = json.dumps({"predictions": values}).encode()
    return [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body), body]


class Pod:
    """One whose requests are all copied; it answers 1 and 2."""

    def __init__(self, to: Address, *, seconds: float = 5.0, answer: Response | None = None):
        share = Mirror(to, 1_000_000)
        self._telemetry = Telemetry("iris", "7")
        self._tallies = Tallies(self._telemetry, ("iris", "7"))
        self._tallies.begin(Shares(mirror=share))
        self._answer = answer or JSONResponse({"predictions": [1.0, 2.0]})
        self.upstream = Upstream(to)
        self.mirroring = Mirroring(share, self.upstream, self._own, self._tallies, seconds)

    async def _own(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        scope["route"] = type("Route", (), {"path": "/invocations"})()
        await self._answer(scope, receive, send)

    async def asked(self, times: int = 1, body: bytes = BODY) -> int:
        """The status of the last of so many requests."""
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        for _ in range(times):
            scope = {
                "type": "http", "method": "POST", "path": "/invocations",
                "raw_path": b"/invocations", "query_string": b"", "headers": [(b"host", b"news")],
            }  # fmt: skip
            await self.mirroring(scope, receive, send)
        return status

    async def settled(self) -> dict[str, Any]:
        """The report, once nothing is under way any more."""
        while tasks := [*self.mirroring.tasks]:
            await asyncio.gather(*tasks)
        return self.report()

    def report(self) -> dict[str, Any]:
        return dict(self._tallies.report(self._telemetry.last_answers.last(300)).get("mirror", {}))


def counts(report: dict[str, Any]) -> dict[str, int]:
    names = ("compared", "agreed", "failed", "dropped")
    return {name: report[name] for name in names if report.get(name)}


@pytest.mark.parametrize(
    ("answer", "counted", "distance"),
    [
        (predictions(1.0, 2.0), {"compared": 1, "agreed": 1}, 0.0),
        (predictions(1.0, 2.001), {"compared": 1, "agreed": 1}, pytest.approx(0.00025, rel=0.01)),
        (predictions(1.0, 4.0), {"compared": 1}, 0.25),
        (predictions(1.0), {"compared": 1}, None),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno"], {"compared": 1}, None),
        (
            [
                b"HTTP/1.1 200 OK\r\ninference-header-content-length: %s\r\n" % (b"1" * 5000),
                b"content-length: 2\r\n\r\nno",
            ],
            {"compared": 1},
            None,
        ),
        ([b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"], {"failed": 1}, None),
        ([CLOSES], {"failed": 1}, None),
        ([b"nonsense\r\n\r\n"], {"failed": 1}, None),
        ([HANGS], {"failed": 1}, None),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", HANGS], {"failed": 1}, None),
        (
            [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65536] * 16_000],  # a gigabyte
            {"failed": 1},
            None,
        ),
    ],
)
def test_both_answers_are_compared_where_there_are_two(answer, counted, distance):
    async def scenario() -> None:
        async with odd_candidate(answer) as challenger:
            pod = Pod(challenger.address, seconds=0.5)
            assert await pod.asked() == 200
            report = await pod.settled()
            assert (counts(report), report["distance"]) == (counted, distance)
            assert b"pennant-mirrored: true" in challenger.asked[0]
            assert challenger.asked[0].endswith(BODY)

    asyncio.run(scenario())


def test_what_waits_for_a_challenger_that_hangs_is_bounded_and_the_rest_is_dropped():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as challenger:
            pod = Pod(challenger.address, seconds=30)
            await pod.asked(AT_ONCE)
            await challenger.was_asked.wait()
            assert await pod.asked(WAITING_LIMIT + 10) == 200
            assert len(pod.mirroring.tasks) == AT_ONCE
            assert counts(pod.report()) == {"dropped": 10}

    asyncio.run(scenario())


def test_what_waits_when_the_share_ends_is_dropped():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as challenger:
            pod = Pod(challenger.address, seconds=0.5)
            await pod.asked(AT_ONCE + 10)
            await challenger.was_asked.wait()
            pod.upstream.close()
            assert counts(await pod.settled()) == {"failed": AT_ONCE, "dropped": 10}

    asyncio.run(scenario())


def test_long_ones_take_no_more_memory_than_they_may():
    async def scenario() -> None:
        async with odd_candidate([HANGS]) as challenger:
            pod = Pod(challenger.address, seconds=30)
            await pod.asked(100, body=b"x" * 60_000)
            await pod.asked(1, body=b"x" * (BODY_LIMIT_BYTES + 1))
            assert counts(pod.report())["dropped"] == 101 - 4 * 1024 * 1024 // 60_000

    asyncio.run(scenario())


def test_what_was_not_answered_with_2xx_is_not_copied():
    async def scenario() -> None:
        async with odd_candidate(predictions(1.0)) as challenger:
            pod = Pod(challenger.address, answer=JSONResponse({}, 400))
            assert await pod.asked() == 400
            assert (await pod.settled(), challenger.asked) == ({}, [])

    asyncio.run(scenario())


def test_a_real_challenger_is_compared_and_the_client_sees_nothing_of_it(tmp_path):
    with sharing(tmp_path) as serves, linear(tmp_path, "8", slope=1.0005) as challenger:
        serves.mirrors(challenger.port)
        until(lambda: set(serves.versions(5)) == {"7"} and "mirror" in serves.report())
        before = until(lambda: serves.report()["mirror"])["compared"]
        assert set(serves.versions(100)) == {"7"}
        mirrored = until(
            lambda: (now := serves.report()["mirror"])["compared"] >= before + 100 and now
        )
        assert mirrored["agreed"] == mirrored["compared"]
        assert mirrored["distance"] == pytest.approx(0.0005, rel=0.01)
        assert (mirrored["failed"], mirrored["dropped"]) == (0, 0)
        assert mirrored["ownSeconds"] > 0
        assert mirrored["theirSeconds"] > 0
        metrics = serves.pod.request("/metrics")[2].decode()
        assert 'pennant_mirrored_requests_total{model="iris",outcome="agreed"' in metrics
        assert 'pennant_mirrored_seconds_count{by="theirs",model="iris",version="7"}' in metrics


def test_a_challenger_that_is_slow_and_one_that_is_down_delay_no_answer(tmp_path):
    with sharing(tmp_path) as serves, moody(tmp_path, "8", seconds=2.0) as challenger:
        serves.mirrors(challenger.port)
        # None would be dropped if one request waited for the answers to those before it.
        until(lambda: serves.versions(100) and "mirror" in serves.report())
        assert set(serves.versions(400)) == {"7"}
        assert serves.report()["mirror"]["dropped"] > 0
        challenger.process.kill()
        assert set(serves.versions(50)) == {"7"}
        until(lambda: serves.versions(1) and serves.report()["mirror"]["failed"] > 0)
