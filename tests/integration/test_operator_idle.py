"""An operator that has nothing to do does nothing, by the word of both servers it speaks to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pennant_testing.control_plane import settled_fleet
from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow

pytestmark = pytest.mark.integration


def test_idle_is_silent(
    objects: Objects,
    audit: Audit,
    operator_config: Path,
    mlflow_url: str,
    mlflow_folder: Path,
    tmp_path: Path,
):
    """The soak (tests/soak) does the same for longer and with more."""
    stage = Stage(objects, "idle")
    stage.clear()  # a ModelRegistry that another module left would be polled, too
    try:
        with operator(operator_config, tmp_path, PENNANT_WRITE_RATE="500") as running:
            settled_fleet.settled(stage, Mlflow(mlflow_url), mlflow_url, 20)
            log = mlflow_folder / "mlflow-server.log"
            found = settled_fleet.silence(stage, running, audit, log, seconds=8)
    finally:
        stage.clear()
    assert found.violations() == []
    assert found.polls >= 3
