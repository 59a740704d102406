"""Where people look for what became of a version: MLflow, a terminal, a pager, Git, the record."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE, pod
from pennant_testing.cluster import operator_pods
from pennant_testing.cluster.deployed import Deployed
from pennant_testing.truth.gitops import argo_health, flux_health

RECEIVER, PORT = "receiver", 8080
RECEIVE = """
import http.server
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("", 8080), Receiver).serve_forever()
"""
TAGS = """
import json, os, sys, urllib.parse, urllib.request
query = urllib.parse.urlencode({"name": sys.argv[1], "version": sys.argv[2]})
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/model-versions/get?" + query
version = json.load(urllib.request.urlopen(url, timeout=60))["model_version"]
print(json.dumps({tag["key"]: tag["value"] for tag in version.get("tags", ())}))
"""
PROMOTE = """
import sys
from pennant_registry import promote
from pennant_registry.errors import RolloutError
version, model, alias, where = sys.argv[1:]
try:
    promote(int(version), model, alias, wait="8m", where=where)
except RolloutError as error:
    print(type(error).__name__)
else:
    print("serves")
"""


@dataclass(frozen=True)
class Places:
    """What each says of one ModelDeployment."""

    of: Deployed
    cluster: str

    @property
    def where(self) -> str:
        """As pipelines name it."""
        return f"{self.cluster}/{self.of.namespace}/{self.of.name}"

    def promote(self, version: str) -> str:
        """With the library, waiting: `serves`, or the error's name."""
        words = ("python", "-c", PROMOTE, version, self.of.model, self.of.name, self.where)
        return self.of.kube.execute(NAMESPACE, setup.TOOLBOX, *words).strip()

    def registry(self, version: str) -> str:
        """The tag of a version in MLflow; empty where there is none."""
        words = ("python", "-c", TAGS, self.of.model, version)
        tags = json.loads(self.of.kube.execute(NAMESPACE, setup.TOOLBOX, *words))
        return str(tags.get(f"pennant.{self.where.replace('/', '.')}", ""))

    def terminal(self, *words: str) -> str:
        """`kubectl pennant`, as kubectl itself finds it."""
        kubectl, kubeconfig = self.of.kube._base
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        given = os.environ | {"PATH": path, "KUBECONFIG": kubeconfig.partition("=")[2]}
        command = [kubectl, "pennant", *words, "-n", self.of.namespace]
        done = subprocess.run(command, env=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def why(self) -> dict[str, Any]:
        """`kubectl pennant why`."""
        facts: dict[str, Any] = json.loads(self.terminal("why", self.of.name, "-o", "json"))
        return facts

    def pager(self) -> dict[str, float]:
        """By reason, for how long the alias has not been served, as Prometheus reads it."""
        name = operator_pods.pod_of(operator_pods.leader(self.of.kube))
        path = f"/api/v1/namespaces/{operator_pods.NAMESPACE}/pods/{name}:8081/proxy/metrics"
        own = f'name="{self.of.name}",namespace="{self.of.namespace}"'
        pattern = rf'^pennant_alias_drift_seconds{{{own},reason="(\w+)"}} (\S+)$'
        text = self.of.kube("get", "--raw", path)
        drift = re.findall(pattern, text, re.MULTILINE)
        return {reason: float(seconds) for reason, seconds in drift}

    def git(self) -> tuple[str, str]:
        """What Argo CD and Flux call it."""
        obj = self.of.object
        return argo_health(obj).status, flux_health(obj)

    def record(self, folder: Path) -> Path:
        """What the operators printed."""
        where = f"--namespace={operator_pods.NAMESPACE}"
        label = f"--selector=app.kubernetes.io/name={operator_pods.NAME}"
        file = folder / "operator.log"
        file.write_text(self.of.kube("logs", label, where, "--tail=-1"))
        return file

    def heard(self) -> list[tuple[str, str]]:
        """Occasions and versions that the receiver was sent of it, without those sent twice."""
        lines = self.of.kube("logs", RECEIVER, f"--namespace={self.of.namespace}").splitlines()
        sent = {each["id"]: each for each in map(json.loads, lines)}
        own = (each for each in sent.values() if each["name"] == self.of.name)
        return [(each["occasion"], each["version"]) for each in own]


@contextmanager
def receiver(kube: Kube, namespace: str) -> Iterator[str]:
    """A pod that prints what it is sent; its address."""
    listening = pod(RECEIVER, ["python", "-u", "-c", RECEIVE])
    listening["metadata"] |= {"namespace": namespace, "labels": {"app": RECEIVER}}
    kube.create(listening)
    service = {"selector": {"app": RECEIVER}, "ports": [{"port": PORT}]}
    kube.create({"apiVersion": "v1", "kind": "Service", "spec": service,
                 "metadata": {"name": RECEIVER, "namespace": namespace}})  # fmt: skip
    kube.pod_is("Running", RECEIVER, namespace, seconds=120)
    yield f"http://{RECEIVER}.{namespace}.svc.cluster.local:{PORT}/"
