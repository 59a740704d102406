"""Answers in the bake, end to end: real pods answer, a real operator reads them and moves traffic.

No kubelet runs: pods are pretended, and their addresses are those of real serving processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_dev.ports import free_port
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.serving.moody_pods import ask, asked, moody
from pennant_testing.serving.serving_process import Serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration
BAKE = {"bake": "30m"}  # longer than any of these takes


@pytest.fixture
def stage(objects: Objects, mlflow_url: str, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A namespace of the test's own; nothing in it is there for the next test's operators."""
    stage = Stage(objects, f"team-{abs(hash(request.node.name)) % 10**8}")
    stage.registry("default", mlflow_url)
    yield stage
    stage.clear()


@pytest.fixture
def mlflow(mlflow_url: str) -> Mlflow:
    return Mlflow(mlflow_url)


def serves(stage: Stage, name: str, version: str) -> None:
    """Wait until it has the traffic, and the status says so."""
    until(lambda: stage.look()[name].serving == version)


def judged(stage: Stage, name: str) -> dict[str, int]:
    """What its status has of the answers of the one that bakes."""
    entry = stage.views()[name].status.get("answers", {})
    answers: dict[str, int] = entry.get("serving", {})
    return answers


def begin(stage: Stage, mlflow: Mlflow, name: str, port: int) -> None:
    """Version 1 is wanted, and answers at a port."""
    stage.kubelet.ports[name, "1"] = port
    mlflow.promote(name, mlflow.register(name))
    stage.apply(name, name, rollout=BAKE)


def move(stage: Stage, mlflow: Mlflow, name: str, port: int) -> None:
    """Version 2 gets the traffic, and answers at another."""
    stage.kubelet.ports[name, "2"] = port
    mlflow.promote(name, mlflow.register(name))
    serves(stage, name, "2")


def replace(stage: Stage, mlflow: Mlflow, name: str, one: Serving, two: Serving) -> int:
    """As `move`, while version 1 is asked all the time; how many of its answers are known."""
    with asked(one):
        move(stage, mlflow, name, two.port)
    baseline = stage.views()[name].status["answers"]["baseline"]
    assert baseline["requests"] >= 5, baseline
    return int(baseline["requests"])


def goes_back(stage: Stage, name: str) -> None:
    """Wait until version 1 has the traffic, and version 2 is rejected."""

    def gone() -> bool:
        view = stage.look()[name]
        return view.serving == "1" and view.summary == "Rejected"

    until(gone, seen=lambda: stage.views()[name].status)


@pytest.mark.parametrize("killed", ["never", "before it answers", "after it answered"])
def test_a_version_that_fails_goes_back_whenever_the_operator_is_killed(
    killed: str, operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    name = f"tugs-{killed.replace(' ', '-')}"
    good = moody(tmp_path, "1", model=name)
    bad = moody(tmp_path, "2", model=name, every=3)
    with good as one, bad as two:
        begin(stage, mlflow, name, one.port)
        with operator(operator_config, tmp_path, **ALONE) as first:
            serves(stage, name, "1")
            known = replace(stage, mlflow, name, one, two)
            if killed == "before it answers":
                first.kill()
            assert ask(two, 30).count(500) == 10
            if killed == "after it answered":
                first.kill()
            if killed == "never":
                goes_back(stage, name)
        if killed != "never":
            with operator(operator_config, tmp_path, **ALONE):
                goes_back(stage, name)
    view = stage.views()[name]
    (rejected,) = view.status["rejected"]
    assert (rejected["version"], rejected["reason"]) == ("2", "ErrorsInBake")
    assert f"of version 1, before it, 0 of {known} were" in rejected["message"]
    assert "answers" not in view.status
    assert stage.active(name)["pennant.dev/active-revision"] == view.status["serving"]["revision"]


def test_a_version_that_is_ten_times_slower_goes_back(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    quick = moody(tmp_path, "1", model="barks", seconds=0.01)
    with quick as one, moody(tmp_path, "2", model="barks", seconds=0.5) as two:
        begin(stage, mlflow, "barks", one.port)
        with operator(operator_config, tmp_path, **ALONE):
            serves(stage, "barks", "1")
            replace(stage, mlflow, "barks", one, two)
            ask(two, 20)
            goes_back(stage, "barks")
    assert stage.views()["barks"].status["rejected"][0]["reason"] == "SlowInBake"


def test_rubbish_of_clients_reverts_nothing_and_neither_does_what_failed_before(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    failing = moody(tmp_path, "1", model="scows", every=2)
    with failing as one, moody(tmp_path, "2", model="scows", every=2) as two:
        begin(stage, mlflow, "scows", one.port)
        with operator(operator_config, tmp_path, **ALONE) as running:
            serves(stage, "scows", "1")
            replace(stage, mlflow, "scows", one, two)
            assert set(ask(two, 40, {"no": "instances"})) == {400}
            ask(two, 60)
            # Written when it has doubled: of 60 that are known, more than half have been told.
            until(
                lambda: judged(stage, "scows").get("requests", 0) > 30,
                seen=lambda: stage.views()["scows"].status,
            )
            stays(stage, "scows", running)
    told = judged(stage, "scows")
    assert told["errors"] == told["requests"] // 2


def test_pods_that_cannot_be_asked_revert_nothing_and_the_status_says_so(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    begin(stage, mlflow, "hulks", free_port())
    with operator(operator_config, tmp_path, **ALONE) as running:
        serves(stage, "hulks", "1")
        move(stage, mlflow, "hulks", free_port())
        told = "nothing is known of how it answers: pods cannot be asked (ClientConnectorError)"
        until(lambda: told in stage.look()["hulks"].condition("AliasInSync").get("message", ""))
        stays(stage, "hulks", running)


def stays(stage: Stage, name: str, running: Operator) -> None:
    """Version 2 bakes, several looks long, and nothing is written (law 7)."""
    running.rests()
    view = stage.views()[name]
    assert (view.serving, view.summary, view.status.get("rejected")) == ("2", "Baking", None)
