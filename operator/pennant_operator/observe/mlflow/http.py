"""Requests to an MLflow server, and what to tell a person when they go wrong.

MLflow's own refusals are JSON with an error code; everything else that may answer at its address
(an ingress, a proxy, the host check, a login page) says nothing about models and is trouble.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.observe.mlflow.body import ANSWER_LIMIT_BYTES, UnreadableError, read
from pennant_operator.observe.mlflow.credentials import Credentials
from pennant_operator.observe.mlflow.tls import context
from pennant_operator.observe.mlflow.trouble import (
    NotAllowedError,
    RegistryTroubleError,
    TooSlowError,
    client_certificate,
    no_connection,
    proxy_refuses,
)

CONNECTIONS_LIMIT = 4  # connections to one registry
REQUEST_SECONDS = 5.0  # for one request to MLflow
API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
NONE = Credentials()


@dataclass(frozen=True)
class Refusal:
    """MLflow's own word that a request cannot be met."""

    status: int
    code: str
    message: str


class MlflowHttp:
    """One server's address, trust and credentials; close it after use."""

    def __init__(
        self,
        spec: RegistrySpec,
        known: Credentials = NONE,
        count: Callable[[int, float], None] = lambda _status, _seconds: None,
    ) -> None:
        """`count` is told status (0: no answer) and seconds of every request.

        Raises UntrustableError and UnusableError.
        """
        self._spec, self._url = spec, spec.url
        self._count = count
        encrypted = spec.url.startswith("https:")
        trust = context(spec.ca_bundle, known.certificate) if encrypted else True
        # Not the session's own headers: aiohttp tells these to proxies, too.
        self._headers, self._tunnel = _headers(known, encrypted=encrypted)
        # Redirects and proxies of the environment are not followed: credentials go to the
        # configured address only, by the configured way.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_LIMIT, ssl=trust),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            proxy=spec.proxy,
            cookie_jar=aiohttp.DummyCookieJar(),  # who answers could fill another without end
            auto_decompress=False,  # without a bound: body.py has one
        )

    async def close(self) -> None:
        """End its connections."""
        await self._session.close()

    async def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | Refusal:
        """MLflow's answer; raises RegistryTroubleError for anybody else's."""
        return self._understood(*await self.text(API + path, query))

    async def send(self, method: str, path: str, body: Any) -> dict[str, Any] | Refusal:
        """MLflow's answer to a change; raises RegistryTroubleError for anybody else's."""
        return self._understood(*await self._request(method, API + path, json=body))

    async def text(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Status and body; raises RegistryTroubleError when there is no complete answer."""
        return await self._request("GET", path, params=dict(query))

    async def artifact(self, path: str, limit: int) -> tuple[int, str]:
        """Status and body of a file behind the server, of so many bytes at most.

        Raises RegistryTroubleError when there is no complete answer, or a longer one.
        """
        return await self._request("GET", ARTIFACTS + quote(path), limit)

    async def _request(
        self, method: str, path: str, limit: int = ANSWER_LIMIT_BYTES, **content: Any
    ) -> tuple[int, str]:
        began, status = time.perf_counter(), 0
        try:
            async with self._session.request(
                method,
                self._url + path,
                allow_redirects=False,
                headers=self._headers,
                proxy_headers=self._tunnel,
                **content,
            ) as response:
                text = await read(response, limit)
                status = response.status
                return status, text
        except TimeoutError:
            raise TooSlowError(
                f"{self._url} did not answer within {REQUEST_SECONDS:.0f} s: see that MLflow runs, "
                "and that no NetworkPolicy keeps the operator from it."
            ) from None
        except UnreadableError as error:
            raise RegistryTroubleError(
                f"what {self._url} answers {error}: see that spec.url is MLflow's own address, and "
                "what stands before it."
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise RegistryTroubleError(no_connection(self._spec, error)) from error
        finally:
            self._count(status, time.perf_counter() - began)

    def _understood(self, status: int, text: str) -> dict[str, Any] | Refusal:
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):  # the latter: a body of brackets
            answer = None
        if status == 403 and "Host header" not in text:
            raise NotAllowedError(self._stranger(status, text))
        if not isinstance(answer, dict):
            raise RegistryTroubleError(self._stranger(status, text))
        if status == 200:
            return answer
        code = str(answer.get("error_code", ""))[:100]
        message = str(answer.get("message", ""))
        if status in {400, 404} and code:
            return Refusal(status, code, message)
        raise RegistryTroubleError(self._stranger(status, message or text))

    def _stranger(self, status: int, text: str) -> str:
        """What an answer means that is not MLflow's word on a model, and what to do."""
        host, excerpt = urlsplit(self._url).netloc, " ".join(text.split())[:200]
        if status == 403 and "Host header" in text:
            return (
                f"MLflow refuses the host name {host}: start it with --allowed-hosts {host} "
                "(or MLFLOW_SERVER_ALLOWED_HOSTS), beside the names that others call it by."
            )
        if status == 407:
            return proxy_refuses(self._spec, status, excerpt)
        if status == 400 and "SSL certificate" in text:
            return client_certificate(self._spec, excerpt)
        if status in {401, 403}:
            return (
                f"{self._url} refuses these credentials ({status}: {excerpt}): name a Secret with "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, "
                "in spec.credentialsSecret, of an account that may read the models and experiments."
            )
        if 300 <= status < 400:
            return f"{self._url} redirects ({status}): write the final address into spec.url."
        return (
            f"{self._url} answers {status}, and not as MLflow does: {excerpt!r}. See that spec.url "
            "is MLflow's own address, and MLflow's log."
        )


def _headers(known: Credentials, *, encrypted: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Of each request, and of what is said to a proxy that makes a tunnel for encrypted ones."""
    mine = {"Accept-Encoding": "identity"}
    if known.authorization:
        mine["Authorization"] = known.authorization
    proxys = {"Proxy-Authorization": known.proxy_authorization} if known.proxy_authorization else {}
    return (mine, proxys) if encrypted else (mine | proxys, {})
