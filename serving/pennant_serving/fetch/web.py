"""HTTP to the registry: credentials, redirects, retries, and what each answer means.

Standard library only, because this runs before every pod is ready. Each call has a connection of
its own on purpose: MLflow's default server is 44 ms slower on a connection that is kept alive.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    OpenerDirector,
    Request,
    UnknownHandler,
)

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import connections, tls
from pennant_serving.fetch.answers import RangeRefused, Trouble, judge, unreachable
from pennant_serving.fetch.patience import Patience
from pennant_serving.fetch.resuming import Download
from pennant_serving.fetch.settings import Credentials, FetchSettings, HttpProxy

CONNECT_SECONDS = 10.0
"""Seconds for a connection; how long an answer may take, FetchSettings.silence says."""
PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


class Web:
    """Reads from one registry, patiently."""

    def __init__(self, settings: FetchSettings) -> None:
        self._authorization = authorization(settings.credentials)
        # http and https alone, and no proxy of the environment: it would read what is sent.
        self._opener = OpenerDirector()
        for handler in _handlers(settings):
            self._opener.add_handler(handler)
        self._patience = Patience(settings.patience)

    def read(self, url: str, consume: Callable[[HTTPResponse], T]) -> T:
        """What `consume` makes of the answer; it is called again after trouble. Raises PodError."""
        return self._patiently(url, lambda: self._ask(url, consume, {}))

    def save(self, url: str, target: Path, size: int | None) -> None:
        """A file of `size` bytes, where that is known, to the disk. Raises PodError."""
        download = Download(target, size, lambda news: self._patience.heard(news=news))

        def go_on() -> None:
            try:
                self._ask(url, download.take, download.headers())
            except RangeRefused:
                download.start_anew()
                raise

        self._patiently(url, go_on)

    def _patiently(self, url: str, attempt: Callable[[], T]) -> T:
        self._patience.task()
        while True:
            self._patience.attempt()
            try:
                return attempt()
            except Trouble as trouble:
                pause = self._patience.failed()
                if pause is None:
                    raise PodError(Reason.DOWNLOAD_FAILED, f"{url}: {trouble}") from trouble
            time.sleep(pause)

    def _ask(self, url: str, consume: Callable[[HTTPResponse], T], headers: dict[str, str]) -> T:
        headers = {"User-Agent": "pennant-fetch", **headers}
        request = Request(url, headers=headers)  # noqa: S310 - http(s) only, by FetchSettings
        if self._authorization:
            # Unredirected: Redirects alone decides whether it goes along.
            request.add_unredirected_header("Authorization", self._authorization)
        try:
            with self._open(request) as response:
                return consume(response)
        except HTTPError as error:
            raise judge(url, error) from error
        except URLError as error:
            raise unreachable(url, error) from error
        except ssl.SSLError as error:  # TLS 1.3 says only now that it misses a certificate
            raise unreachable(url, URLError(error)) from error
        except (HTTPException, ConnectionError, TimeoutError) as error:
            raise Trouble(f"the connection broke: {error!r}") from error

    def _open(self, request: Request) -> HTTPResponse:
        try:
            response: HTTPResponse = self._opener.open(request, timeout=CONNECT_SECONDS)
        except ValueError as error:
            if isinstance(error, (OSError, HTTPException)):  # a certificate's are both
                raise
            raise Trouble(f"redirects to what is no address: {error}") from error
        return response


def _handlers(settings: FetchSettings) -> Iterator[BaseHandler]:
    yield from (UnknownHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor(), Redirects())
    if settings.registry_proxy:
        yield Through(settings.registry_proxy)
    yield connections.Plain(settings.silence)
    yield connections.Encrypted(settings.silence, _contexts(settings))


def _contexts(settings: FetchSettings) -> Callable[[str], ssl.SSLContext]:
    """The registry is shown the client certificate, and nobody else."""
    own = tls.context(settings, settings.credentials)

    @cache
    def others() -> ssl.SSLContext:
        return tls.context(settings, Credentials()) if settings.credentials.certificate else own

    return lambda url: own if same_server(settings.registry_url, url) else others()


class Through(BaseHandler):
    """Sends everything by one proxy, also what the environment would except from proxies."""

    handler_order = 100  # before those that connect

    def __init__(self, proxy: HttpProxy) -> None:
        self._host = proxy.host
        self._authorization = authorization(Credentials(proxy.username, proxy.password))

    def http_open(self, req: Request) -> None:
        """Only sets the proxy; None leaves it to the next handler to connect."""
        if self._authorization:
            req.add_unredirected_header("Proxy-Authorization", self._authorization)
        req.set_proxy(self._host, "http")

    https_open = http_open


class Redirects(HTTPRedirectHandler):
    """Follows redirects, but credentials stay with the registry that they are for."""

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """As urllib does. Raises ValueError for what is no address."""
        try:
            answer: HTTPResponse | None = super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()
            raise
        return answer

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

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
    if _origin(here) == _origin(there):
        return True
    upgraded = (here.scheme, there.scheme) == ("http", "https")
    return upgraded and here.hostname == there.hostname and not here.port and not there.port


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
