"""A real operator over real MLflow servers: what somebody holds there does not begin here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

import pennant_registry
from pennant_registry.errors import OnHoldError
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import ALONE, operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow.lying_proxy import Proxy, error_500, lying_proxy
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

ALIAS, KEY = "production", "tag pennant.hold.production"
BESIDE = 5  # models that are followed, too: they are asked for together


@dataclass
class Followed:
    """A model of three versions, the first of which serves."""

    stage: Stage
    mlflow: Mlflow
    proxy: Proxy
    name: str

    def view(self) -> View:
        return self.stage.view(self.name)

    def held(self) -> str:
        """What AliasInSync says, once the version is held in the registry."""
        until(lambda: self.view().reason("AliasInSync") == "HeldInRegistry")
        return str(self.view().condition("AliasInSync")["message"])

    def follow(self) -> None:
        for number in range(BESIDE):
            self.stage.apply(f"{self.name}-{number}", f"{self.name}-{number}")
        self.stage.apply(self.name, self.name)
        self.stage.serves(self.name, "1")


@pytest.fixture(params=["mlflow_url", "mlflow2_url"], ids=["mlflow3", "mlflow2"])
def followed(
    request: pytest.FixtureRequest, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Followed]:
    url, name = request.getfixturevalue(request.param), f"m{uuid4().hex[:8]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    stage, mlflow = Stage(objects, f"holds-{name}"), Mlflow(url)
    names = [name, *(f"{name}-{number}" for number in range(BESIDE))]
    for each in names:
        mlflow.register(each)
        pennant_registry.promote(1, each, ALIAS)
    for _ in range(2):
        mlflow.register(name)
    with lying_proxy(url) as proxy:
        stage.registry("default", proxy.url, pollInterval="1s")
        yield Followed(stage, mlflow, proxy, name)
        for each in names:
            objects.delete("ModelDeployment", stage.namespace, each)


def test_on_hold_nothing_begins_whoever_moves_the_alias_until_it_is_released(
    followed: Followed, operator_config: Path, tmp_path: Path
):
    with operator(operator_config, tmp_path, **ALONE):
        followed.follow()
        hold = pennant_registry.hold(followed.name, ALIAS, "incident 12")
        followed.mlflow.promote(followed.name, "2")  # past the library
        message = followed.held()
        assert f"which is held in the registry by {hold.by} since" in message
        assert ": incident 12; to let it go, delete the registered model's tag" in message
        assert followed.view().summary == "Held"
        assert followed.view().reason("Ready") == "Serving"
        assert len(followed.stage.deployments(followed.name)) == 1
        pennant_registry.release(followed.name, ALIAS)
        followed.stage.serves(followed.name, "2")
        assert "hold" not in followed.view().status


def test_gates_are_asked_once_it_is_released_for_what_they_want_may_have_changed(
    followed: Followed, operator_config: Path, tmp_path: Path
):
    name, client = followed.name, followed.mlflow.client
    with operator(operator_config, tmp_path, **ALONE):
        followed.follow()
        followed.stage.apply(name, name, gates={"tags": [{"key": "approved"}]})
        client.set_model_version_tag(name, "2", "approved", "by ana")
        pennant_registry.hold(name, ALIAS, "incident 12")
        followed.mlflow.promote(name, "2")
        followed.held()
        client.delete_model_version_tag(name, "2", "approved")
        pennant_registry.release(name, ALIAS)
        until(lambda: followed.view().reason("AliasInSync") == "GateNotPassed")
        until(lambda: "known yet" not in str(followed.view().status["gates"]))
        assert followed.view().serving == "1"


def test_a_rollback_stays_until_it_is_released_and_another_version_goes_out(
    followed: Followed, operator_config: Path, tmp_path: Path
):
    name = followed.name
    with operator(operator_config, tmp_path, **ALONE):
        followed.follow()
        pennant_registry.promote(2, name, ALIAS)
        followed.stage.serves(name, "2")
        pennant_registry.rollback(name, ALIAS, reason="wrong language")
        followed.stage.serves(name, "1")
        with pytest.raises(OnHoldError):
            pennant_registry.promote(2, name, ALIAS)  # the nightly job
        followed.mlflow.promote(name, "2")  # one that does not ask
        message = followed.held()
        assert f"wrong language; to let it go, delete the registered model's {KEY}.2," in message
        pennant_registry.promote(3, name, ALIAS)
        followed.stage.serves(name, "3")
        pennant_registry.promote(2, name, ALIAS, override="it was the search index")
        followed.stage.serves(name, "2")


def test_a_hold_outlasts_an_outage_and_a_restart_and_ends_at_its_time(
    followed: Followed, operator_config: Path, tmp_path: Path
):
    with operator(operator_config, tmp_path, **ALONE):
        followed.follow()
        followed.mlflow.client.set_registered_model_tag(
            followed.name, f"pennant.hold.{ALIAS}", "not before the launch"
        )
        followed.mlflow.promote(followed.name, "2")
        assert "held in the registry: not before the launch; " in followed.held()
        followed.proxy.fail(error_500)
    before = followed.view()
    with operator(operator_config, tmp_path, **ALONE):
        followed.stage.apply(followed.name, followed.name, replicas=2)
        until(lambda: followed.view().status["observedGeneration"] > 1)
        assert followed.view().status["hold"] == before.status["hold"]
        assert followed.view().serving == "1"
        end = datetime.now(UTC) + timedelta(seconds=8)
        soon = f'{{"reason": "the launch", "until": "{end.isoformat()}"}}'
        followed.mlflow.client.set_registered_model_tag(
            followed.name, f"pennant.hold.{ALIAS}", soon
        )
        followed.proxy.recover()
        assert "until" in followed.held()
        followed.stage.serves(followed.name, "2")
        started = followed.view().status["serving"]["since"]
        assert datetime.fromisoformat(started) >= end.replace(microsecond=0)
