"""What the definitions refuse at `kubectl apply`, and an object from before them may hold."""

from typing import Any

import pytest

from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({"lobby": {"maxWait": "0s"}}, "lobby.maxWait: '0s' lets no request wait"),
        ({"rolling": {"maxSurge": "5"}}, "rolling.maxSurge: '5' is neither a number nor a share"),
        ({"rolling": {"maxUnavailable": "-5%"}}, "rolling.maxUnavailable: '-5%' is neither"),
        ({"rolling": {"maxUnavailable": -1}}, "rolling.maxUnavailable: -1 is neither"),
        ({"canary": {"steps": [{}]}}, "canary.steps[0].weight: None is no percent in quotes"),
        ({"canary": {"steps": [{"weight": "1"}, {"weight": "ten"}]}}, "steps[1].weight: 'ten' is"),
        ({"canary": {"steps": [{"weight": "00"}]}}, "canary.steps[0].weight: '00' is no percent"),
        ({"canary": {"steps": [{"weight": "100"}]}}, "canary.steps[0].weight: '100' is no percent"),
    ],
)
def test_what_cannot_be_meant_is_said_by_its_field(rollout: dict[str, Any], said: str):
    sim = Simulation(version(7), owner=model_deployment(rollout=rollout))
    sim.step()
    assert sim.condition("Stalled") == ("True", "InvalidSpec")
    message = sim.message("Stalled")
    assert message.startswith("spec.rollout.")
    assert said in message
