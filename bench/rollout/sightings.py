"""What the API server and the operator's log tell, with the time at which it was heard."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

from pennant_dev.demo import setup
from pennant_dev.demo.heard import SELECTOR, Heard, heard
from pennant_dev.demo.kube import Kube, Object, Stream
from pennant_dev.demo.pods import NAMESPACE

OWNER = "pennant.dev/deployment"
REVISION = "pennant.dev/revision"
VERSION = "pennant.dev/model-version"
ACTIVE = "pennant.dev/active-revision"
WATCHED = ("deployments", "pods", "services")


@dataclass
class PodSighting:
    """When a pod was first seen to be so."""

    name: str
    labels: dict[str, str]
    made: float
    scheduled: float | None = None
    started: float | None = None
    """Its one container, or the one after its init containers, runs."""
    ready: float | None = None


@dataclass
class Sightings:
    """Watches and a log, followed in threads until the block ends."""

    kube: Kube
    applied: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    """(ModelDeployment, version) -> when a Deployment that has pods of it was first seen, and its
    revision."""
    switches: list[tuple[float, str]] = field(default_factory=list)
    """When a Service was seen to lead to another revision than before."""
    pods: dict[str, PodSighting] = field(default_factory=dict)
    """By uid."""
    heard: list[Heard] = field(default_factory=list)
    """What the operator's log said of aliases."""
    _streams: list[Stream] = field(default_factory=list)

    def __enter__(self) -> "Sightings":
        words = (f"--namespace={NAMESPACE}", "--watch", "--output-watch-events", "--output=json")
        for kind in WATCHED:
            self._streams.append(self.kube.stream("get", kind, *words, take=self._changed))
        log = (SELECTOR, "--timestamps", "--tail=0")
        where = f"--namespace={setup.OPERATOR_NAMESPACE}"
        self._streams.append(self.kube.stream("logs", "-f", *log, where, take=self._logged))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._streams:
            stream.stop()

    @property
    def blind(self) -> bool:
        """Whether a watch or the log ended by itself."""
        return any(stream.ended for stream in self._streams)

    def _changed(self, lines: Iterable[str]) -> None:
        for line in lines:
            now, event = time.time(), json.loads(line)
            if event["type"] in {"ADDED", "MODIFIED"}:
                {"Deployment": self._deployment, "Pod": self._pod, "Service": self._service}[
                    event["object"]["kind"]
                ](event["object"], now)

    def _deployment(self, thing: Object, now: float) -> None:
        template = thing["spec"]["template"]["metadata"]
        version = template.get("annotations", {}).get(VERSION)
        if version and thing["spec"].get("replicas"):
            labels = template["labels"]
            self.applied.setdefault((labels[OWNER], version), (now, labels[REVISION]))

    def _service(self, thing: Object, now: float) -> None:
        revision = thing["metadata"].get("annotations", {}).get(ACTIVE)
        if revision and (not self.switches or self.switches[-1][1] != revision):
            self.switches.append((now, revision))

    def _pod(self, thing: Object, now: float) -> None:
        meta, status = thing["metadata"], thing.get("status", {})
        pod = self.pods.setdefault(
            meta["uid"], PodSighting(meta["name"], meta.get("labels", {}), now)
        )
        true = {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}
        runs = any("running" in each["state"] for each in status.get("containerStatuses", ()))
        if pod.scheduled is None and "PodScheduled" in true:
            pod.scheduled = now
        if pod.started is None and runs:
            pod.started = now
        if pod.ready is None and "Ready" in true:
            pod.ready = now

    def _logged(self, lines: Iterable[str]) -> None:
        self.heard.extend(heard(lines))
