"""What Argo CD and Flux make of our statuses, by the rules in manifests/gitops, and the page of it.

UPDATE_GOLDEN=1 writes the page's table.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pennant_operator.decide.registry.brake import BrakeState
from pennant_operator.decide.registry.health import Health, registry_status
from pennant_testing.memory.object_builders import NOW
from pennant_testing.memory.situations import table
from pennant_testing.truth.gitops import argo_health, flux_health
from pennant_testing.truth.kstatus import CURRENT, FAILED, IN_PROGRESS, verdict

pytestmark = pytest.mark.contract

PAGE = Path(__file__).parents[2] / "docs" / "gitops.md"
TABLE = re.compile(r"(<!-- generated: health -->\n).*(<!-- end of health -->)", re.DOTALL)
HEAD = ("`Status`", "`Ready`", "`Reconciling`", "`Stalled`", "Flux, kstatus", "Argo CD")
OF_KSTATUS = {CURRENT: "Healthy", IN_PROGRESS: "Progressing", FAILED: "Degraded"}
BRAKE = BrakeState(on=True, resumed=False, off=False, followed=10, elsewhere=5, shown=())
REGISTRIES = {
    "answers": (Health("3.17.2", 4), CURRENT, "Healthy"),
    "is away": (Health(trouble="MLflow does not answer"), IN_PROGRESS, "Degraded"),
    "cannot be": (Health(trouble="spec.url is no address", invalid=True), FAILED, "Degraded"),
    "its brake holds": (Health("3.17.2", 4, brake=BRAKE), CURRENT, "Suspended"),
}


def thing(kind: str, status: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": "rec", "namespace": "team", "generation": 1}
    return {"apiVersion": "pennant.dev/v1alpha1", "kind": kind, "metadata": meta, "status": status}


def model_deployments() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every situation's summary, and the object."""
    for outcome in table().values():
        conditions = [*outcome.conditions.values()]
        status = {"observedGeneration": 1, "summary": outcome.summary, "conditions": conditions}
        yield outcome.summary, thing("ModelDeployment", status)


def status_of(obj: dict[str, Any], kind: str) -> str:
    return next(str(c["status"]) for c in obj["status"]["conditions"] if c["type"] == kind)


def rows() -> list[tuple[str, ...]]:
    """What is said, and what each makes of it."""
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for summary, obj in model_deployments():
        said = (summary, *(status_of(obj, kind) for kind in ("Ready", "Reconciling", "Stalled")))
        found[*said, verdict(obj)].add(argo_health(obj).status)
    return [(*said, *argo) for said, argo in sorted(found.items())]


def test_argo_cd_takes_every_situation_as_kstatus_does_and_knows_what_is_suspended():
    for summary, obj in model_deployments():
        expected = OF_KSTATUS[verdict(obj)]
        if (summary, expected) == ("Suspended", "Healthy"):
            expected = "Suspended"
        health = argo_health(obj)
        assert (health.status, bool(health.message)) == (expected, True), obj


def test_flux_takes_every_situation_as_kstatus_does():
    assert [obj for _, obj in model_deployments() if flux_health(obj) != verdict(obj)] == []


def test_a_version_that_was_rejected_or_is_held_degrades_nothing_that_serves():
    serving = [
        obj
        for summary, obj in model_deployments()
        if summary in {"Rejected", "Held"} and status_of(obj, "Ready") == "True"
    ]
    assert serving
    assert {argo_health(obj).status for obj in serving} == {"Healthy", "Progressing"}
    assert {flux_health(obj) for obj in serving} == {CURRENT, IN_PROGRESS}


def test_a_healthy_one_that_does_not_serve_what_its_alias_says_tells_why():
    for _, obj in model_deployments():
        in_sync = next(c for c in obj["status"]["conditions"] if c["type"] == "AliasInSync")
        if argo_health(obj).status == "Healthy" and in_sync["status"] == "False":
            assert argo_health(obj).message == in_sync["message"]


@pytest.mark.parametrize("kind", ["ModelDeployment", "ModelRegistry"])
@pytest.mark.parametrize("status", [{}, {"observedGeneration": -1}, "of an earlier spec"])
def test_what_nobody_looked_at_yet_is_not_healthy(kind, status):
    if status == "of an earlier spec":
        ready = {"type": "Ready", "status": "True", "reason": "Any", "message": "all is well"}
        status = {"observedGeneration": 7, "conditions": [ready]}
    obj = thing(kind, status)
    assert argo_health(obj).status == "Progressing"
    assert flux_health(obj) == IN_PROGRESS


@pytest.mark.parametrize("how", REGISTRIES)
def test_a_registry_is_as_its_server_is(how):
    health, flux, argo = REGISTRIES[how]
    bare = thing("ModelRegistry", {})
    obj = thing("ModelRegistry", registry_status(bare, health, NOW))
    assert (flux_health(obj), argo_health(obj).status) == (flux, argo)


def test_the_page_has_the_table():
    lines = [HEAD, ("---",) * len(HEAD), *rows()]
    made = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    text = PAGE.read_text()
    wanted = TABLE.sub(lambda found: f"{found[1]}{made}{found[2]}", text)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(wanted)
        return
    assert text == wanted
