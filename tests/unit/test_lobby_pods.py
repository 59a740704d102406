"""How the lobby looks for a pod while there is none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pennant_serving.address import Address
from pennant_serving.lobby import pods as lobby_pods
from pennant_serving.lobby.pods import Pods

pytestmark = pytest.mark.unit

STREAM = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


class Network:
    """Addresses that a name has, one after the other, and where somebody listens."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = [*addresses]
        self.listening: set[str] = set()
        self.attempts: list[str] = []
        self.at_once = self.most_at_once = 0

    async def look_up(self, host: str, port: int, **_: Any) -> list[Any]:
        if not self._addresses:
            raise socket.gaierror(f"no {host}")
        address = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        return [(*STREAM, (address, port))]

    async def connected(self, _family: int, where: tuple[str, int]) -> str:
        self.attempts.append(where[0])
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if where[0] not in self.listening:
            raise ConnectionRefusedError
        return where[0]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A scenario over a network, in which nobody pauses."""
    for name in ("RETRY_SECONDS", "LOOK_UP_SECONDS"):
        monkeypatch.setattr(lobby_pods, name, 0.0)

    def run(network: Network, scenario: Callable[[Pods], Coroutine[Any, Any, None]]) -> None:
        monkeypatch.setattr(lobby_pods, "_connected", network.connected)

        async def whole() -> None:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", network.look_up)
            await scenario(Pods(Address("news-pods", 80)))

        asyncio.run(asyncio.wait_for(whole(), 60))

    return run


async def attempts(network: Network, count: int) -> None:
    while len(network.attempts) < count:  # noqa: ASYNC110 - nobody else would
        await asyncio.sleep(0)


def test_while_nobody_answers_one_tries_for_all_and_then_all_go_at_once(run):
    network = Network("10.0.0.1")

    async def scenario(pods: Pods) -> None:
        waiting = [asyncio.create_task(pods.connect()) for _ in range(50)]
        await attempts(network, 100)
        assert network.most_at_once == 1
        network.listening.add("10.0.0.1")
        assert [await each for each in waiting] == ["10.0.0.1"] * 50
        assert network.most_at_once > 1

    run(network, scenario)


def test_who_gives_up_is_in_nobodys_way(run):
    network = Network("10.0.0.1")

    async def scenario(pods: Pods) -> None:
        first, second = (asyncio.create_task(pods.connect()) for _ in range(2))
        await attempts(network, 3)
        first.cancel()
        await attempts(network, 6)
        network.listening.add("10.0.0.1")
        assert await second == "10.0.0.1"

    run(network, scenario)


def test_a_name_that_moves_is_followed(run):
    network = Network("10.0.0.1", "10.0.0.1", "10.0.0.2")
    network.listening.add("10.0.0.2")

    async def scenario(pods: Pods) -> None:
        assert await pods.connect() == "10.0.0.2"

    run(network, scenario)


def test_a_name_that_is_not_there_yet_is_waited_for(run):
    network = Network()
    network.listening.add("10.0.0.1")

    async def scenario(pods: Pods) -> None:
        waiting = asyncio.create_task(pods.connect())
        for _ in range(20):
            await asyncio.sleep(0)
        network._addresses.append("10.0.0.1")
        assert await waiting == "10.0.0.1"

    run(network, scenario)
