"""An operator that has nothing to do does nothing, by the word of both servers it speaks to."""

from __future__ import annotations

from pathlib import Path

import fleet
import pytest
from audit import Audit
from mlflow_server import Mlflow
from objects import Objects
from operator_process import operator
from operator_stage import Stage

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
            fleet.settled(stage, Mlflow(mlflow_url), mlflow_url, 20)
            log = mlflow_folder / "mlflow-server.log"
            found = fleet.silence(stage, running, audit, log, seconds=8)
    finally:
        stage.clear()
    assert found.violations() == []
    assert found.polls >= 3
