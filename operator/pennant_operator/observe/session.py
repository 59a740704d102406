"""The HTTP session that watches run over: our TLS and token, and no reconnecting in a frenzy."""

import asyncio
import ssl

import aiohttp
from kubernetes.aio.client import Configuration

PACE = 1.0  # seconds between two connections of the same watch
CONNECTIONS = 50


def session(configuration: Configuration) -> aiohttp.ClientSession:
    """A session with the client configuration's identity; the token is read again as it rotates."""
    trust = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    trust.check_hostname = trust.check_hostname and configuration.verify_ssl
    if not configuration.verify_ssl:
        trust.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        trust.load_cert_chain(configuration.cert_file, configuration.key_file)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=trust),
        middlewares=(_identify(configuration), Pacer(PACE)),
    )


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
