"""Rollouts and deletions while the operator is killed or away."""

from __future__ import annotations

import pytest

from pennant_dev.demo.kube import poll
from pennant_testing.cluster.deployed import Deployed
from pennant_testing.cluster.operator_pods import NAMESPACE, leader, pod_of, resting

pytestmark = pytest.mark.e2e


def test_an_operator_killed_in_mid_rollout_ends_at_the_same_place(deployed: Deployed):
    deployed.point_alias_at(2)
    deployed.until(desired="2", summary="RollingOut")
    killed = pod_of(leader(deployed.kube))
    deployed.kube("delete", "pod", killed, f"-n={NAMESPACE}", "--grace-period=0", "--force")
    deployed.until(serving="2", summary="Serving")


def test_deleting_it_with_the_operator_down_deletes_its_children(deployed: Deployed):
    with resting(deployed.kube):
        deployed.delete("--wait=true")
        poll(lambda: not deployed.children(), "children are left", 60)
