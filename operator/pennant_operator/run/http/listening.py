"""Listens for HTTP on a port where anybody may knock: nobody keeps a place by saying nothing.

The head of a request has its time, the rest of a body nobody reads has its time, and so has an
answer that nobody reads. When all places are taken, whoever has waited longest to say something
makes room: it is then the silent ones that are sent away, not those who come with something.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

CONNECTIONS_LIMIT = 250  # connections to one port
HEAD_SECONDS = 15.0  # for a whole head, from the connection or from the last answer
LINGER_SECONDS = 2.0  # for what is left of a body that nobody reads
UNREAD_ANSWER_SECONDS = 10.0  # for an answer to be taken


async def listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    """A running server; `cleanup()` of what is returned ends it."""
    door = _Door()
    app.middlewares.append(door.pass_through)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=HEAD_SECONDS,  # counts from the connection on, whatever trickles in
        lingering_time=LINGER_SECONDS,
        auto_decompress=False,  # MLflow compresses nothing, and a signature is of what was sent
    )
    await runner.setup()
    await _Site(runner, door, host, port).start()
    return runner


class _Door:
    """Knows who is being answered."""

    def __init__(self) -> None:
        self._answered: set[asyncio.BaseProtocol] = set()

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        protocol = request.protocol
        self._answered.add(protocol)
        try:
            return await handler(request)
        finally:
            self._answered.discard(protocol)
            asyncio.get_running_loop().call_later(
                UNREAD_ANSWER_SECONDS, self._hurry, request.transport
            )

    def admit(self, server: web.Server) -> asyncio.BaseProtocol:
        """The protocol of one more connection."""
        there = [each for each in server.connections if _is_open(each)]
        if len(there) >= CONNECTIONS_LIMIT:
            silent = next((each for each in there if each not in self._answered), None)
            if silent is None or silent.transport is None:
                return _TurnedAway()
            silent.transport.abort()
        return server()

    def _hurry(self, transport: asyncio.Transport | None) -> None:
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


class _Site(web.BaseSite):
    def __init__(self, runner: web.AppRunner, door: _Door, host: str, port: int) -> None:
        super().__init__(runner)
        self._door = door
        self._where = host, port

    @property
    def name(self) -> str:
        return "http://{}:{}".format(*self._where)

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        assert server is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._door.admit(server), *self._where)


def _is_open(connection: web.RequestHandler) -> bool:
    return connection.transport is not None and not connection.transport.is_closing()
