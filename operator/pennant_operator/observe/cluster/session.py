"""The HTTP session that watches run over: our TLS and token, and no reconnecting in a frenzy.

And what it brings can be parsed: where it could not, one object would end the watch of all.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from kubernetes.aio.client import Configuration

from pennant_operator import nesting

WATCH_SPACING_SECONDS = 1.0  # between two connections of the same watch
WATCH_CONNECTIONS_LIMIT = 50  # connections for watches


def session(configuration: Configuration) -> aiohttp.ClientSession:
    """A session with the client configuration's identity; the token is read again as it rotates."""
    trust = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    trust.check_hostname = trust.check_hostname and configuration.verify_ssl
    if not configuration.verify_ssl:
        trust.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        trust.load_cert_chain(configuration.cert_file, configuration.key_file)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=WATCH_CONNECTIONS_LIMIT, ssl=trust),
        middlewares=(_identify(configuration), Pacer(WATCH_SPACING_SECONDS)),
        response_class=Parsable,
    )


class Parsable(aiohttp.ClientResponse):
    """An answer whose JSON, and each line of whose stream, is not too deep for a parser."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """As ever."""
        started = await super().start(connection)
        self.content = _Lines(self.content)  # type: ignore[assignment]
        return started

    async def json(self, **_: Any) -> Any:
        """All of it; raises ValueError."""
        return nesting.loads(await self.read())


class _Lines:
    """A stream that hands out whole lines."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The lines that there are by now, over and over."""
        pending: list[bytes] = []
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                yield nesting.shallow(b"".join([*pending, line])) + b"\n"
                pending = []
            pending.append(rest)
        yield b"".join(pending)


def _identify(configuration: Configuration) -> aiohttp.ClientMiddlewareType:
    async def identify(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        token = (await configuration.auth_settings()).get("BearerToken")
        if token is not None:
            request.headers["Authorization"] = str(token["value"])
        return await send(request)

    return identify


class Pacer:
    """Holds back a watch that was opened less than `seconds` ago.

    A server that accepts a watch and closes it at once would else be asked thousands of times a
    second: the framework waits only after errors.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._opened: dict[str, float] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass everything on, watches no faster than they may come."""
        if request.url.query.get("watch") == "true":
            now = asyncio.get_running_loop().time()
            due = max(now, self._opened.get(request.url.path, float("-inf")) + self._seconds)
            self._opened[request.url.path] = due
            await asyncio.sleep(due - now)
        return await send(request)
