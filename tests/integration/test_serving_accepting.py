"""Clients that connect together, by turns of a real event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest
import uvloop

from pennant_serving.http.accepting import Waiting
from pennant_serving.http.listener import BACKLOG
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

LISTENS = "0A"  # as the kernel tells the state of a socket
CLIENTS = 100


def waiting_for(listener: socket.socket) -> int:
    """How many connections nobody has accepted yet; the last of their packets may be on its way."""
    address = f"0100007F:{listener.getsockname()[1]:04X}"
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines())
    (queues,) = (row[4] for row in rows if row[1] == address and row[3] == LISTENS)
    return int(queues.partition(":")[2], 16)


class Protocol(asyncio.Protocol):
    """Notes the turn in which it is connected, and answers one byte."""

    turns: list[int]
    turn = 0
    waiting: Waiting | None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.turns.append(self.turn)
        transport.write(b"x")
        if self.waiting is not None:
            self.waiting.take(type(self))


async def turns_to_take(listener: socket.socket, waiting: Waiting | None) -> int:
    """How many turns lie between the first and the last of clients that have all connected."""
    kind = type("Counting", (Protocol,), {"turns": [], "waiting": waiting})
    loop = asyncio.get_running_loop()

    def count() -> None:
        kind.turn += 1

    with contextlib.ExitStack() as stack:
        readable, other = (stack.enter_context(each) for each in socket.socketpair())
        other.send(b"never read")
        loop.add_reader(readable, count)  # it is called in each turn
        stack.callback(loop.remove_reader, readable)
        address = listener.getsockname()
        sockets = [stack.enter_context(socket.create_connection(address)) for _ in range(CLIENTS)]
        until(lambda: waiting_for(listener) == CLIENTS)
        stack.enter_context(contextlib.closing(await loop.create_server(kind, sock=listener)))
        for client in sockets:
            client.setblocking(False)
            assert await asyncio.wait_for(loop.sock_recv(client, 1), 60) == b"x"
    assert len(kind.turns) == CLIENTS
    return kind.turns[-1] - kind.turns[0]


@pytest.mark.parametrize("together", [True, False])
def test_clients_that_connect_together_are_taken_in_a_turn_or_two(together):
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        waiting = Waiting(listener) if together else None
        turns = uvloop.run(turns_to_take(listener, waiting))
    # The loop alone takes one in a turn. When it no longer does, this is not needed any more.
    assert turns < 5 if together else turns >= CLIENTS - 1
