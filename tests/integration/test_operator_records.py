"""What people write over the operator's own records, on a real API server, while it is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pennant_testing.control_plane.objects import DEEP, Objects
from pennant_testing.control_plane.operator_process import ALONE, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def stage(objects: Objects, mlflow_url: str) -> Iterator[Stage]:
    """One ModelDeployment, whose model's version 1 is promoted; no operator runs."""
    model = f"m{uuid4().hex[:8]}"
    stage = Stage(objects, f"of-{model}")
    stage.registry("default", mlflow_url)
    mlflow = Mlflow(mlflow_url)
    mlflow.promote(model, mlflow.register(model))
    stage.apply("rec", model)
    yield stage
    stage.clear()


def overwrite(stage: Stage, data: Any) -> None:
    """What is recorded is immutable, so somebody deletes it and makes another of its name."""
    for record in stage.objects.list("ControllerRevision", stage.namespace):
        meta = record["metadata"]
        stage.objects.delete("ControllerRevision", stage.namespace, meta["name"])
        kept = {name: meta[name] for name in ("name", "namespace", "labels", "ownerReferences")}
        made = {k: record[k] for k in ("apiVersion", "kind", "revision")}
        stage.objects.apply({**made, "metadata": kept, "data": data})


def events(stage: Stage) -> list[str]:
    events = stage.objects.list("Event", stage.namespace)
    return [each["note"] for each in events if each["reason"] == "RecordUnreadable"]


def recorded(stage: Stage) -> bool:
    (record,) = stage.objects.list("ControllerRevision", stage.namespace)
    return "kind" in record["data"].get("manifest", {})


def test_a_record_that_cannot_be_read_is_named_and_made_again_and_nothing_rolls(
    stage: Stage, operator_config: Path, tmp_path: Path
):
    with operator(operator_config, tmp_path, **ALONE):
        stage.serves("rec", "1")
    (slot,) = stage.deployments("rec")
    for data, why in (
        ({}, "it has no data.format"),
        ({"format": 2}, "data.format is 2"),
        ({"format": 1, "model": "m", "version": "1", "source": "s", "manifest": DEEP}, "metadata"),
    ):
        overwrite(stage, data)
        with operator(operator_config, tmp_path, **ALONE) as running:
            until(lambda why=why: any(why in each for each in events(stage)))
            until(lambda: recorded(stage))
            running.rests()
            assert stage.view("rec").settled_on("1")
        (now,) = stage.deployments("rec")
        assert now["spec"] == slot["spec"]
