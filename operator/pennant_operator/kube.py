"""The API server as this operator speaks to it: JSON requests, and one error.

Objects stay the JSON they are: the client library's models would cost ten times the memory and
drop every field they do not know. Reads are made by `observe`; every write but the Lease's own
goes through `act/cluster.py`.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import AddrInfoType, ClientError, TCPConnector
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import load_incluster_config, load_kube_config

from pennant_operator.kinds import KINDS
from pennant_operator.nesting import loads
from pennant_operator.yaml_body import as_yaml

Object: TypeAlias = dict[str, Any]

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
# objects of one LIST request; of 500 Deployments the answer costs 45 MiB for a moment
LIST_PAGE_LIMIT = 100
REQUEST_SECONDS = 8.0  # for one request to the API server
OK, FORBIDDEN = 200, 403
YAML = "application/yaml"
APPLY = "application/apply-patch+yaml; charset=utf-8"  # as it is, the client would make JSON of it


class ApiError(Exception):
    """The API server's refusal, in its own words; status 0 is no answer at all."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message


async def connect(kubeconfig: Path | None) -> ApiClient:
    """A client for a kubeconfig, or as the pod's service account (its token is read again)."""
    configuration = Configuration()
    if kubeconfig is None and SERVICE_ACCOUNT.exists():  # noqa: ASYNC240 - once, at start
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        location = str(kubeconfig) if kubeconfig else None
        await load_kube_config(  # type: ignore[no-untyped-call]
            config_file=location, client_configuration=configuration
        )
    # What it would cost to trust the environment: two threads a request, one of which reads .netrc
    # for credentials that nobody gave us. The watches do not look there either.
    configuration.client_session_kwargs = {"trust_env": False}
    client = ApiClient(configuration)
    client.rest_client = _Transport(configuration)
    return client


class _Transport(RESTClientObject):
    """Connections whose end is their end.

    What a request that was given up has left in the kernel's buffers is dropped with it: it must
    not arrive once the network is back, when somebody else writes.
    """

    def _create_connector(self) -> TCPConnector:
        return TCPConnector(limit=self.maxsize, ssl=self.ssl_context, socket_factory=_socket)


def _socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


class Api:
    """JSON requests on top of the client library's connection, TLS and credentials."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: float = REQUEST_SECONDS,  # noqa: ASYNC109 - its end is an ApiError like any other
    ) -> Object:
        """One request within `timeout` seconds; raises ApiError."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            async with asyncio.timeout(timeout):
                verb, url, sent, data, _ = await self.client.param_serialize(
                    method,
                    path,
                    query_params=list((query or {}).items()),
                    header_params=headers,
                    body=as_yaml(body) if content_type in {YAML, APPLY} else body,
                    auth_settings=["BearerToken"],
                )
                response = await self.client.call_api(verb, url, sent, data)
                text = await response.response.read()
        except ApiException as error:
            raise ApiError(error.status or 0, error.reason or "", str(error.body)) from error
        except (OSError, TimeoutError, ClientError) as error:
            raise ApiError(
                0, "NoAnswer", f"{method} {path}: {str(error) or 'timed out'}"
            ) from error
        return _parsed(response.status, text)

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object of this name, whoever it belongs to; None when there is none."""
        try:
            return await self.request("GET", KINDS[kind].path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def pages(
        self, kind: str, namespace: str | None, selector: str = ""
    ) -> AsyncIterator[tuple[list[Object], int]]:
        """LIST page by page, each with the resourceVersion that the whole list is of."""
        query = {"limit": str(LIST_PAGE_LIMIT)} | ({"labelSelector": selector} if selector else {})
        while True:
            page = await self.request("GET", KINDS[kind].path(namespace), query)
            named = {"apiVersion": KINDS[kind].api_version, "kind": kind}
            # Items of a list come without their kind.
            yield [named | item for item in page["items"]], int(page["metadata"]["resourceVersion"])
            if not page["metadata"].get("continue"):
                return
            query["continue"] = page["metadata"]["continue"]

    async def list(self, kind: str, namespace: str | None, selector: str = "") -> list[Object]:
        """Every object of a kind in a namespace that a label selector picks."""
        return [o async for page, _ in self.pages(kind, namespace, selector) for o in page]


def _parsed(status: int, text: bytes) -> Object:
    try:
        answer = loads(text)
    except ValueError as error:
        raise ApiError(status, "NotJson", f"not an API server's answer: {text[:200]!r}") from error
    if status >= 400 or not isinstance(answer, dict):
        details = answer if isinstance(answer, dict) else {}
        raise ApiError(
            status, details.get("reason", ""), details.get("message", text[:200].decode())
        )
    return answer
