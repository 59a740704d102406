"""What people do to a rollout with RolloutActions, on real pods."""

import json
from typing import Any

import pytest

from pennant_dev.demo.kube import poll
from pennant_testing.cluster.deployed import Deployed, condition_of, serving

pytestmark = pytest.mark.e2e


def act(deployed: Deployed, action: str, **spec: Any) -> str:
    """A RolloutAction about it; its name."""
    name = f"{deployed.name}-{action.lower()}"
    manifest = {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "RolloutAction",
        "metadata": {"name": name, "namespace": deployed.namespace},
        "spec": {"deployment": deployed.name, "action": action, "reason": "a test", **spec},
    }
    deployed.kube("create", "-f", "-", stdin=json.dumps(manifest))
    return name


def becomes(deployed: Deployed, name: str, state: str) -> None:
    def is_so() -> bool:
        found = deployed.kube.get("rolloutaction", name, deployed.namespace) or {}
        return bool(found.get("status", {}).get("state") == state)

    poll(is_so, f"{name} does not become {state}", 60)


def think_otherwise(deployed: Deployed, name: str) -> None:
    deployed.kube("delete", "rolloutaction", name, f"-n={deployed.namespace}")


def test_a_hold_stops_what_is_new_and_a_pin_goes_before_it(deployed: Deployed):
    hold = act(deployed, "Hold")
    becomes(deployed, hold, "Active")
    deployed.point_alias_at(2)
    status = deployed.until(desired="2", summary="Held")
    assert condition_of(status, "AliasInSync")[:2] == ("False", "HeldByAction")
    assert condition_of(status, "Ready")[0] == "True"
    pin = act(deployed, "Pin", version="2")
    deployed.until(serving="2", summary="Serving")
    assert deployed.condition("AliasInSync") == ("True", "Pinned")
    think_otherwise(deployed, hold)
    deployed.point_alias_at(1)
    think_otherwise(deployed, pin)
    deployed.until(serving="1", desired="1", summary="Serving")


def test_what_bakes_is_aborted_and_goes_out_again_when_a_person_says_so(deployed: Deployed):
    deployed.apply(rollout={"bake": "5m"})
    deployed.point_alias_at(2)
    deployed.until(serving="2", summary="Baking")
    becomes(deployed, act(deployed, "Abort"), "Done")
    status = deployed.until(serving="1", summary="Rejected")
    (rejected,) = status["rejected"]
    assert (rejected["version"], rejected["reason"]) == ("2", "Aborted")
    becomes(deployed, act(deployed, "Retry"), "Done")
    deployed.until(serving="2", summary="Baking")


def test_a_version_that_no_gate_lets_through_is_approved(
    kube: Any, markers: dict[str, str], room: str
):
    gates = {"tags": [{"key": "approved-by-nobody"}]}
    with serving(kube, "approved", room) as deployed:
        deployed.apply(gates=gates)
        deployed.point_alias_at(2)
        deployed.until(desired="2", summary="Held")
        becomes(deployed, act(deployed, "Approve", version="2"), "Done")
        deployed.until(serving="2", summary="Serving")
