"""kubectl whose reads go through one `kubectl proxy`: tests look all the time, and to start a
kubectl for each look would take the processor from what they wait for.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import urllib3

from pennant_dev.demo.kube import Kube, Object, poll

# By the words that tests use; what is not here is read by a kubectl of its own.
KINDS = {
    "modeldeployment": "apis/pennant.dev/v1alpha1/namespaces/{}/modeldeployments",
    "deployment": "apis/apps/v1/namespaces/{}/deployments",
    "service": "api/v1/namespaces/{}/services",
    "pod": "api/v1/namespaces/{}/pods",
    "lease": "apis/coordination.k8s.io/v1/namespaces/{}/leases",
}


class Proxied(Kube):
    """Until its proxy ends."""

    def __init__(self, kube: Kube) -> None:
        self._base = kube._base
        self._url = ""
        self._proxy = kube.stream("proxy", "--port=0", take=self._listen)
        poll(lambda: self._url, "kubectl proxy does not say where it listens", 30, interval=0.05)
        self._http = urllib3.PoolManager(maxsize=4)

    def stop(self) -> None:
        """End the proxy."""
        self._proxy.stop()

    def get(self, kind: str, name: str, namespace: str) -> Object | None:
        if kind not in KINDS:
            return super().get(kind, name, namespace)
        return self._read(f"{KINDS[kind].format(namespace)}/{name}")

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        if kind.removesuffix("s") not in KINDS:
            return super().list(kind, namespace, selector)
        path = KINDS[kind.removesuffix("s")].format(namespace)
        answer = self._read(path, {"labelSelector": selector} if selector else None)
        assert answer is not None
        items: list[Object] = answer["items"]
        return items

    def _read(self, path: str, fields: dict[str, str] | None = None) -> Object | None:
        answer = self._http.request("GET", f"{self._url}/{path}", fields=fields)
        if answer.status == 404:
            return None
        assert answer.status == 200, f"{path}: {answer.status} {answer.data.decode()}"
        body: Object = answer.json()
        return body

    def _listen(self, lines: Iterable[str]) -> None:
        for line in lines:
            if address := re.search(r"on (127\.0\.0\.1:\d+)", line):
                self._url = f"http://{address[1]}"


@contextmanager
def proxied(kube: Kube) -> Iterator[Proxied]:
    """The same cluster, read through a proxy while the block runs."""
    proxied = Proxied(kube)
    try:
        yield proxied
    finally:
        proxied.stop()
