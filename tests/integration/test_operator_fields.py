"""No value of any field makes an operator write again and again, by the API server's own word.

Every field of spec.serving and of a ModelRegistry has its zero, empty and odd values here, each in
a ModelDeployment of its own. Whatever the API server makes of them, all is quiet once it is
applied, and after a restart of the operator, too.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.control_plane.audit_log import USER, Audit
from pennant_testing.control_plane.objects import NAMESPACE, ApiServerError, Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.memory import field_values, managed_fields
from pennant_testing.memory.simulated_cluster import serving as simulated
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MODEL = "of-many-fields"
SETTLES = 600.0  # seconds, on a machine that has other things to do
CUSTOM: dict[str, Any] = {
    "mode": "Custom",
    "image": "models.example/api:3",
    "port": 9000,
    "probes": {"readiness": {"httpGet": {"path": "/health"}}},
}
OURS = "app.kubernetes.io/managed-by=pennant"
RECONCILED = "pennant_reconcile_duration_seconds_count"


@dataclass(frozen=True)
class Written:
    """What an operator wrote once all was applied, and another one after it."""

    tried: list[dict[str, Any]]
    refused: set[str]
    """ModelDeployments whose pods the API server does not take."""
    idle: Counter[tuple[str, str]]
    seconds: float
    """In which that was written."""
    restarted: Counter[tuple[str, str]]

    def of_others(self, which: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """By kind and name, what was not written for one that is refused."""
        return {at: n for at, n in which.items() if _owner(at[1]) not in self.refused}


def _owner(child: str) -> str:
    return "-".join(child.split("-")[:2])


# Nothing has pods here, so that no rollout ends and makes room for the next in line.
ALL_AT_ONCE: dict[str, Any] = {"maxConcurrentRollouts": 1000}


@pytest.fixture(scope="module")
def stage(objects: Objects, mlflow_url: str) -> Iterator[Stage]:
    stage, mlflow = Stage(objects, "fields"), Mlflow(mlflow_url)
    stage.clear()
    mlflow.promote(MODEL, mlflow.register(MODEL))
    stage.registry("default", mlflow_url, **ALL_AT_ONCE)
    yield stage
    stage.clear()


@pytest.fixture(scope="module")
def written(
    stage: Stage, audit: Audit, operator_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Written:
    tried = _apply_all(stage)
    registries = _registries(stage)
    folder, environ = tmp_path_factory.mktemp("fields"), {"PENNANT_WRITE_RATE": "500"}
    count = len(tried) + registries
    with operator(operator_config, folder, **environ) as first:
        until(lambda: len(_looked_at(stage)) == count, SETTLES, seen=lambda: _missing(stage))
        began = time.monotonic()
        idle = _writes(audit, first)
        seconds = time.monotonic() - began
        refused = {n for n, v in stage.views().items() if v.reason("Stalled") == "WriteRefused"}
    since = audit.mark()
    with operator(operator_config, folder, **environ) as second:
        until(lambda: second.metric(RECONCILED) >= count - len(refused), SETTLES)
        later = _writes(audit, second, since)
    return Written(tried, refused, idle, seconds, later)


def _apply_all(stage: Stage) -> list[dict[str, Any]]:
    """Each value in a ModelDeployment of its own, in mode Custom where only that takes it."""
    tried = []
    names = (f"value-{number}" for number in itertools.count())
    for value in field_values.variants(field_values.schema("modeldeployments", "serving")):
        probes = {"probes": CUSTOM["probes"] | value["probes"]} if "probes" in value else {}
        name, own = next(names), CUSTOM | value | probes
        if any(_takes(stage.apply, name, MODEL, serving=serving) for serving in (value, own)):
            tried.append(value)
    return tried


def _registries(stage: Stage) -> int:
    """Each value of a ModelRegistry's, with a ModelDeployment that names it; how many."""
    url = stage.objects.get("ModelRegistry", NAMESPACE, "default")["spec"]["url"]
    values = field_values.variants(field_values.schema("modelregistries"))
    made = 0
    for number, value in enumerate(values):
        name = f"registry-{number}"
        if _takes(stage.registry, name, **{"url": url, **value}):
            stage.apply(name, MODEL, registry=name)
            made += 1
    return made


def _takes(apply: Callable[..., None], *args: Any, **spec: Any) -> bool:
    """Whether the definitions take it."""
    try:
        apply(*args, **spec)
    except ApiServerError as error:
        if error.status != 422:
            raise
        return False
    return True


def _looked_at(stage: Stage) -> list[str]:
    return [name for name, view in stage.views().items() if view.conditions]


def _missing(stage: Stage) -> list[str]:
    return [name for name, view in stage.views().items() if not view.conditions]


def _writes(audit: Audit, running: Operator, since: int = 0) -> Counter[tuple[str, str]]:
    """What is written in some seconds after a rest, or since a mark."""
    running.rests(4)
    began = since or audit.mark()
    running.rests(8)
    return Counter((w.what, w.name) for w in audit.written(USER, since=began) if w.what != "events")


def test_no_value_of_any_field_makes_it_write_again_and_again(written: Written):
    assert written.of_others(written.idle) == {}


def test_nor_does_it_write_after_a_restart(written: Written):
    assert written.of_others(written.restarted) == {}


def test_nobody_is_taken_for_somebody_who_changes_fields(written: Written, stage: Stage):
    """The API server spells things in its own way, and that is all."""
    kinds = ("Service", "Deployment", "ConfigMap", "PodDisruptionBudget")
    found = [child for kind in kinds for child in stage.objects.list(kind, stage.namespace, OURS)]
    annotations = [child["metadata"]["annotations"] for child in found]
    assert [each for each in annotations if "pennant.dev/set-back" in each] == []
    events = stage.objects.list("Event", stage.namespace)
    assert [e["note"] for e in events if e["reason"] == "FieldChangedByOthers"] == []


def test_what_the_api_server_refuses_is_tried_less_and_less(written: Written):
    again = [n for (_, name), n in written.idle.items() if _owner(name) in written.refused]
    assert max(again, default=0) <= 2 + math.log2(written.seconds)  # a second apart, two, four


def test_every_field_was_tried(written: Written):
    tried = {field for value in written.tried for field in value}
    assert tried == set(field_values.schema("modeldeployments", "serving")["properties"])
    assert len(written.refused) < len(written.tried) / 4, written.refused


def test_what_is_taken_off_a_registry_is_taken_off_what_fetch_reads(
    written: Written, stage: Stage, operator_config: Path, tmp_path: Path
):
    url = stage.objects.get("ModelRegistry", NAMESPACE, "default")["spec"]["url"]
    stage.apply("one-way", MODEL, registry="default")

    def read() -> set[str]:
        configmap = stage.objects.get("ConfigMap", stage.namespace, "one-way-registry")
        return set(configmap["data"]) if configmap else set()

    with operator(operator_config, tmp_path):
        stage.registry("default", url, proxy=url, **ALL_AT_ONCE)
        until(lambda: read() == {"url", "allowed-sources", "proxy"})
        stage.registry("default", url, **ALL_AT_ONCE)
        until(lambda: read() == {"url", "allowed-sources"})


def test_the_pretended_api_servers_managed_fields_are_a_real_ones(objects: Objects):
    stage = Stage(objects, "pretended")
    sim = simulated(7)
    for key, last in sim.applied.items():
        manifest = dict(last.manifest)
        manifest["metadata"] = manifest["metadata"] | {"namespace": stage.namespace}
        live = objects.apply(manifest, manager="pennant")
        (entry,) = (e for e in live["metadata"]["managedFields"] if e["manager"] == "pennant")
        assert entry["fieldsV1"] == managed_fields.of_applied(manifest), key
