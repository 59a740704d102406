"""HTTP to the registry: credentials, redirects, retries, and what each answer means.

Standard library only, because this runs before every pod is ready. Each call has a connection of
its own on purpose: MLflow's default server is 44 ms slower on a connection that is kept alive.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.answers import Trouble, judge, unreachable
from pennant_serving.fetch.settings import Credentials, HttpProxy, Settings
from pennant_serving.fetch.tls import context

TIMEOUT = 10.0
"""Seconds without a byte."""
FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0

T = TypeVar("T")


class Web:
    """Reads from one registry, patiently."""

    def __init__(self, settings: Settings) -> None:
        self._authorization = authorization(settings.credentials)
        # No proxy of the environment: it would read what is sent.
        direct, trust = ProxyHandler({}), HTTPSHandler(context=context(settings))
        configured = [Through(settings.registry_proxy)] if settings.registry_proxy else []
        self._opener = build_opener(direct, *configured, trust, Redirects())
        self._patience = settings.patience

    def read(self, url: str, consume: Callable[[HTTPResponse], T]) -> T:
        """What `consume` makes of the answer; it is called again after trouble. Raises PodError."""
        delay = FIRST_DELAY
        while True:
            started = time.monotonic()
            try:
                return self._read_once(url, consume)
            except Trouble as trouble:
                self._patience -= time.monotonic() - started + delay
                if self._patience < 0:
                    raise PodError(Reason.DOWNLOAD_FAILED, f"{url}: {trouble}") from trouble
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def _read_once(self, url: str, consume: Callable[[HTTPResponse], T]) -> T:
        request = Request(url, headers={"User-Agent": "pennant-fetch"})  # noqa: S310 - http(s) only, by Settings
        if self._authorization:
            # Unredirected: Redirects alone decides whether it goes along.
            request.add_unredirected_header("Authorization", self._authorization)
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                return consume(response)
        except HTTPError as error:
            raise judge(url, error) from error
        except URLError as error:
            raise unreachable(url, error) from error
        except ssl.SSLError as error:  # TLS 1.3 says only now that it misses a certificate
            raise unreachable(url, URLError(error)) from error
        except (HTTPException, ConnectionError, TimeoutError) as error:
            raise Trouble(f"the connection broke: {error!r}") from error


class Through(BaseHandler):
    """Sends everything by one proxy, also what the environment would except from proxies."""

    handler_order = 100  # before those that connect

    def __init__(self, proxy: HttpProxy) -> None:
        self._host = proxy.host
        self._authorization = authorization(Credentials(proxy.username, proxy.password))

    def http_open(self, req: Request) -> None:
        """Only says how; None leaves it to the next handler to connect."""
        if self._authorization:
            req.add_unredirected_header("Proxy-Authorization", self._authorization)
        req.set_proxy(self._host, "http")

    https_open = http_open


class Redirects(HTTPRedirectHandler):
    """Follows redirects, but credentials stay with the registry that they are for."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        credentials = req.unredirected_hdrs.get("Authorization")
        if request and credentials and same_server(req.full_url, newurl):
            request.add_unredirected_header("Authorization", credentials)
        return request


def authorization(credentials: Credentials) -> str | None:
    """The header's value; like MLflow's own client, a user name wins over a token."""
    if credentials.username:
        pair = f"{credentials.username}:{credentials.password or ''}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return f"Bearer {credentials.token}" if credentials.token else None


def same_server(old: str, new: str) -> bool:
    """The same origin, or the same host by https instead of http."""
    here, there = urlsplit(old), urlsplit(new)
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return True
    upgraded = (here.scheme, there.scheme) == ("http", "https")
    return upgraded and here.hostname == there.hostname and not here.port and not there.port
