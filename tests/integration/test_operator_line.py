"""One alias that many ModelDeployments follow: so many roll out at once as may, in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import ALONE, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

FOLLOWERS = 80
AT_ONCE = 20
SETTLE_SECONDS = 900.0
SERVED = ("pennant.dev/active-revision", "pennant.dev/warm-revision")


class Crowd:
    """Followers of one alias, and how many of them were seen to roll out at once."""

    def __init__(self, objects: Objects, mlflow: Mlflow, url: str) -> None:
        self.mlflow, self.model = mlflow, "crowd"
        self.stage = Stage(objects, "crowd")
        self.stage.registry("crowd", url, brake={})
        self.names = [f"follower-{number}" for number in range(FOLLOWERS)]
        self.most_places = self.most_pods = 0
        self.promote()
        for name in self.names:
            self.stage.apply(name, self.model, registry="crowd")

    def promote(self) -> None:
        self.mlflow.promote(self.model, self.mlflow.register(self.model))

    def settled_on(self, version: str) -> bool:
        self._count()
        return self.stage.all_serve(version, self.names)

    def waiting(self) -> list[dict[str, Any]]:
        return [view.status for view in self.stage.views().values() if "line" in view.status]

    def _count(self) -> None:
        """By the statuses; and by the Deployments with pods that neither serve nor are warm."""
        views = self.stage.views().values()
        self.most_places = max(self.most_places, sum(v.candidate is not None for v in views))
        with_pods = [
            each["metadata"]["labels"]
            for each in self.stage.objects.list("Deployment", self.stage.namespace)
            if each["spec"]["replicas"]
        ]
        served: dict[str, set[str]] = {}
        for each in self.stage.objects.list("Service", self.stage.namespace):
            meta = each["metadata"]
            served[meta["name"]] = {meta["annotations"].get(name, "") for name in SERVED}
        coming = [
            labels
            for labels in with_pods
            if labels["pennant.dev/revision"]
            not in served.get(labels["pennant.dev/deployment"], set())
        ]
        self.most_pods = max(self.most_pods, len(coming))


def test_the_followers_of_one_alias_roll_in_turn_whoever_is_killed_meanwhile(
    objects: Objects, operator_config: Path, mlflow_url: str, tmp_path: Path
):
    crowd = Crowd(objects, Mlflow(mlflow_url), mlflow_url)
    with operator(operator_config, tmp_path, **ALONE) as first:
        until(lambda: crowd.settled_on("1"), SETTLE_SECONDS)
        assert crowd.most_places <= AT_ONCE
        crowd.promote()
        until(lambda: len(crowd.waiting()) > FOLLOWERS / 2)
        ahead = sorted(status["line"]["ahead"] for status in crowd.waiting())
        assert ahead[-1] >= AT_ONCE
        first.kill()
    with operator(operator_config, tmp_path, **ALONE) as second:
        until(lambda: crowd.settled_on("2"), SETTLE_SECONDS)
        assert crowd.waiting() == []
        assert 1 <= crowd.most_places <= AT_ONCE
        assert 1 <= crowd.most_pods <= AT_ONCE
        line = 'pennant_registry_rollouts_in_line{registry="crowd"}'
        until(lambda: second.metric(line) == 0)
    registry = objects.get("ModelRegistry", NAMESPACE, "crowd") or {}
    conditions = {each["type"]: each["reason"] for each in registry["status"]["conditions"]}
    assert conditions["Braked"] == "NotBraked"  # they follow one alias
