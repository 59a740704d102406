"""How long it takes from an alias that moves to the candidate's Deployment."""

import contextlib
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from kubernetes import watch
from kubernetes.client import ApiException
from mlflow import MlflowClient
from operator_process import Objects, until
from urllib3.exceptions import HTTPError

from bench.scale.fleet import ALIAS

VERSION = "pennant.dev/model-version"
MODEL = "pennant.dev/model"


@dataclass
class Sightings:
    """When each (ModelDeployment, version) was first seen in a Deployment's template."""

    objects: Objects
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def start(self) -> None:
        """Watch every Deployment from now on, in a thread that ends with the process."""
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            # The API server may not have caught up with itself yet, and ends watches when it likes.
            with contextlib.suppress(ApiException, HTTPError):
                watcher = watch.Watch()  # type: ignore[no-untyped-call]
                for event in self.objects.of("Deployment").watch(watcher=watcher):
                    self._take(event["raw_object"])

    def _take(self, deployment: dict[str, Any]) -> None:
        now = time.monotonic()
        labels = deployment["metadata"].get("labels", {})
        told = deployment["spec"]["template"]["metadata"].get("annotations", {})
        if VERSION in told and deployment["spec"].get("replicas"):
            self.seen.setdefault((labels.get("pennant.dev/deployment", ""), told[VERSION]), now)


def move(
    mlflow: MlflowClient, sightings: Sightings, targets: dict[str, list[str]], version: str
) -> list[float]:
    """Move the alias of every model at once; seconds until each ModelDeployment's candidate.

    `targets` is model -> names of the ModelDeployments that follow it.
    """
    moved: dict[str, float] = {}

    def one(model: str) -> None:
        mlflow.set_registered_model_alias(model, ALIAS, version)
        moved[model] = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, targets))
    wanted = {(name, version): model for model, names in targets.items() for name in names}
    until(lambda: wanted.keys() <= sightings.seen.keys(), seconds=300)
    return [sightings.seen[key] - moved[model] for key, model in wanted.items()]


def percentile(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
