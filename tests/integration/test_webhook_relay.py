"""A hook that reaches a replica that stands by is answered by the one that leads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest

from pennant_dev.ports import free_port
from pennant_operator.observe.webhook.webhook import Outcome
from pennant_operator.run.http import receiver
from pennant_operator.run.http.relay import Relay, address, identity

pytestmark = pytest.mark.integration

BODY = b'{"as": "it was signed"}'
SENT = {"X-MLflow-Delivery-Id": "d", "X-MLflow-Timestamp": "1", "X-MLflow-Signature": "v1,x"}


class Taken:
    """A registry's webhook that takes everything, and remembers it."""

    def __init__(self) -> None:
        self.hooks: list[tuple[dict[str, str], bytes]] = []

    async def take(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.hooks.append((dict(headers), body))
        return Outcome.ACCEPTED


@contextlib.asynccontextmanager
async def replica(
    port: int, leader: Callable[[], str | None], webhook: Taken | None
) -> AsyncIterator[None]:
    receives = receiver.Receiver(
        lambda name: webhook if name == "default" else None,  # type: ignore[arg-type,return-value]
        lambda _registry, _result: None,
        Relay(leader),
    )
    runner = await receiver.serve("127.0.0.1", port, receives)
    try:
        yield
    finally:
        await runner.cleanup()


async def post(port: int, path: str = "/hooks/default", body: bytes = BODY) -> int:
    url = f"http://127.0.0.1:{port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=SENT) as response,
    ):
        return response.status


def test_the_leader_gets_it_as_it_was_signed():
    async def scenario() -> None:
        standby, leader, taken = free_port(), free_port(), Taken()
        async with (
            replica(standby, lambda: f"127.0.0.1:{leader}", None),
            replica(leader, lambda: None, taken),
        ):
            assert await post(standby) == 200
            assert await post(standby, "/hooks/unknown") == 404
        ((headers, body),) = taken.hooks
        assert body == BODY
        assert SENT.items() <= headers.items()

    asyncio.run(scenario())


@pytest.mark.parametrize("leader", ["", "127.0.0.1:1"])
def test_without_a_leader_mlflow_is_asked_to_try_again(leader: str):
    async def scenario() -> None:
        port = free_port()
        async with replica(port, lambda: leader, None):
            assert await post(port) == 503

    asyncio.run(scenario())


def test_two_that_take_each_other_for_the_leader_do_not_go_on_for_ever():
    async def scenario() -> None:
        one, other = free_port(), free_port()
        async with (
            replica(one, lambda: f"127.0.0.1:{other}", None),
            replica(other, lambda: f"127.0.0.1:{one}", None),
        ):
            assert await post(one) == 503

    asyncio.run(scenario())


def test_a_body_that_is_too_large_is_not_handed_on():
    async def scenario() -> None:
        standby, leader, taken = free_port(), free_port(), Taken()
        async with (
            replica(standby, lambda: f"127.0.0.1:{leader}", None),
            replica(leader, lambda: None, taken),
        ):
            assert await post(standby, body=b"x" * (receiver.BODY_LIMIT_BYTES + 1)) == 413
        assert taken.hooks == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("pod_ip", "where"), [("10.1.2.3", "10.1.2.3:8082"), ("fd00::3", "[fd00::3]:8082"), ("", "")]
)
def test_the_leases_holder_says_where_it_takes_hooks(pod_ip: str, where: str):
    assert address(identity("pennant-operator-0_ab12", pod_ip, 8082)) == where
