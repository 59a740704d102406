"""Requests to the API server as the JSON they are, by whatever a kubeconfig says of it.

The client library reads the kubeconfig, logs in (its exec plugins too) and speaks TLS; its models
would drop every field that they do not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from pennant_cli.cluster.refusals import NOT_FOUND, KubernetesError, refused
from pennant_cli.exit_codes import CommandError
from pennant_operator.kinds import KINDS

REQUEST_SECONDS = 15.0
AT_ONCE = 8  # requests
Object = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Where:
    """The options that every command has."""

    namespace: str = ""  # empty: that of the context
    context: str = ""
    kubeconfig: Path | None = None


class Api:
    """The API server of a context; every method raises KubernetesError."""

    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    def text(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> str:
        """What is answered, as it is."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        address = path + (f"?{urlencode(query)}" if query else "")
        try:
            verb, url, sent, data, _ = self._client.param_serialize(
                method, address, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            answer = self._client.call_api(verb, url, sent, data, _request_timeout=REQUEST_SECONDS)
            text: str = answer.read().decode(errors="replace")  # a log may hold anything
        except (ApiException, HTTPError, OSError) as error:
            raise KubernetesError(0, f"no API server answers ({error}): see --context") from error
        if answer.status >= 400:
            raise refused(answer.status, text, path)
        return text

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Object:
        """One object, or a list of them."""
        answer: Object = json.loads(self.text(method, path, query, body))
        return answer

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """None where there is none."""
        path = KINDS[kind].path(namespace or self.namespace, name)
        try:
            return self.request("GET", path)
        except KubernetesError as error:
            if error.status == NOT_FOUND and name in str(error):
                return None
            raise

    def list(self, kind: str, selector: str = "", *, everywhere: bool = False) -> list[Object]:
        """Those of the namespace, or of all of them."""
        query = {"labelSelector": selector} if selector else None
        path = KINDS[kind].path(None if everywhere else self.namespace)
        items: list[Object] = self.request("GET", path, query)["items"]
        named = {"apiVersion": KINDS[kind].api_version, "kind": kind}
        return [named | item for item in items]  # a list's items come without it

    def create(self, kind: str, manifest: Object) -> Object:
        """In the manifest's namespace."""
        return self.request(
            "POST", KINDS[kind].path(manifest["metadata"].get("namespace")), body=manifest
        )


def at_once(*calls: Any) -> list[Any]:
    """What each of them returns, or the KubernetesError that it raises."""

    def called(call: Any) -> Any:
        try:
            return call()
        except KubernetesError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(called, calls))


def connect(where: Where) -> Api:
    """Raises CommandError where no kubeconfig says how."""
    try:
        from kubernetes.client import ApiClient, Configuration
        from kubernetes.config import ConfigException, kube_config
        from yaml import YAMLError
    except ModuleNotFoundError as error:
        raise CommandError(f"{error}: the command line is pip install 'pennant[cli]'") from error
    location = str(where.kubeconfig) if where.kubeconfig else None
    configuration = Configuration()
    try:
        kube_config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=location,
            context=where.context or None,
            client_configuration=configuration,
            persist_config=False,
        )
        contexts, current = kube_config.list_kube_config_contexts(  # type: ignore[no-untyped-call]
            location
        )
    except (ConfigException, OSError, YAMLError, TypeError) as error:  # the last: no mapping
        raise CommandError(f"{error}: see --kubeconfig, --context and KUBECONFIG") from error
    chosen = next((c for c in contexts if c["name"] == where.context), current)
    namespace = where.namespace or chosen["context"].get("namespace") or "default"
    configuration.retries = False
    return Api(ApiClient(configuration), namespace)
