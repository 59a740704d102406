"""The spec is edited while its registry says nothing, under an operator that has just begun.

What the last answer and the records tell is rolled out; of what nobody knows the status says so,
and kstatus says neither that it is done nor that it failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import ALONE, operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow import lying_proxy
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.truth.kstatus import IN_PROGRESS, verdict
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MEMORY = {"serving": {"resources": {"requests": {"memory": "300Mi"}}}}
EDITS = {
    "memory": MEMORY,
    "pinned": {"model": {"name": "silence", "version": "1"}},
    "alias": {"model": {"name": "silence", "alias": "canary"}},
    "untouched": {},
}


@pytest.fixture(scope="module")
def stage(
    objects: Objects,
    operator_config: Path,
    mlflow_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Version 2 of everything serves, 1 did before; then silence, another operator, and edits."""
    folder, mlflow = tmp_path_factory.mktemp("silence"), Mlflow(mlflow_url)
    stage = Stage(objects, "silence")
    with lying_proxy.lying_proxy(mlflow_url) as proxy:
        stage.registry("silent", proxy.url)
        for number in ("1", "2"):
            mlflow.promote("silence", mlflow.register("silence"))
            with operator(operator_config, folder, **ALONE) as first:
                for name in EDITS if number == "1" else ():
                    stage.apply(name, "silence", registry="silent")
                until(lambda number=number: stage.all_serve(number, EDITS))
                first.kill()
        proxy.fail(lying_proxy.down)
        for name, edit in EDITS.items():
            stage.apply(name, "silence", registry="silent", **edit)
        with operator(operator_config, folder):
            yield stage
        stage.clear()


def requested(stage: Stage, name: str) -> str | None:
    """The memory of the pods that have the traffic."""
    slot = stage.active(name)["pennant.dev/active-slot"]
    found = next(d for d in stage.deployments(name) if d["metadata"]["name"].endswith(slot))
    containers = found["spec"]["template"]["spec"]["containers"]
    memory: str | None = containers[0]["resources"].get("requests", {}).get("memory")
    return memory


def judged(view: View) -> bool:
    """Whether the status is of the spec as it is now."""
    return bool(view.status.get("observedGeneration") == view.live["metadata"]["generation"])


def test_another_memory_rolls_out(stage: Stage):
    until(lambda: stage.look() and requested(stage, "memory") == "300Mi")
    assert stage.serves("memory", "2").reason("Reconciling") == "Settled"


def test_a_pin_on_a_version_that_ran_before_rolls_out(stage: Stage):
    assert stage.serves("pinned", "1").status["desired"]["version"] == "1"


def test_an_alias_that_nobody_was_asked_about_is_neither_done_nor_failed(stage: Stage):
    stage.sees("alias", judged)
    view = stage.view("alias")
    assert (view.serving, view.summary, view.candidate) == ("2", "Waiting", None)
    assert view.condition("Ready")["status"] == "True"
    assert view.condition("AliasInSync")["status"] == "Unknown"
    assert (view.reason("Reconciling"), verdict(view.live)) == ("WaitingForVersion", IN_PROGRESS)


def test_of_what_nobody_edited_nothing_is_taken_back(stage: Stage):
    stage.sees("alias", judged)
    assert stage.view("untouched").reason("AliasInSync") == "InSync"
