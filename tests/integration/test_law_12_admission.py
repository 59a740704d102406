"""Law 12, by the API server's own judgement: every pod passes the restricted standard."""

from __future__ import annotations

from typing import Any

import pytest

from pennant_operator.decide.manifests import render
from pennant_operator.decide.seen.spec import parse_spec
from pennant_testing.control_plane.objects import Objects
from pennant_testing.memory.object_builders import IMAGES, model_deployment, version

pytestmark = pytest.mark.integration

OWN_SERVER = {
    "mode": "Custom",
    "image": "models.example/api:3",
    "port": 9000,
    "probes": {"readiness": {"httpGet": {"path": "/health"}}},
    "writableRoot": True,
}


NAMESPACE = "restricted"


@pytest.fixture(scope="module")
def restricted(objects: Objects) -> Objects:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    objects.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    )
    return objects


def pod(name: str, serving: dict[str, Any]) -> dict[str, Any]:
    spec = parse_spec(model_deployment(serving=serving))
    template = render.deployment_of(spec, version(7), "abc123", IMAGES)["spec"]["template"]
    meta = {**template["metadata"], "name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


@pytest.mark.parametrize("serving", [{}, OWN_SERVER], ids=["pennant", "custom"])
def test_law_12_a_pod_passes_the_restricted_standard(
    restricted: Objects, serving: dict[str, Any], request: pytest.FixtureRequest
):
    name = f"pod-{request.node.callspec.id}"
    made = restricted.apply(pod(name, serving))
    assert made["spec"]["automountServiceAccountToken"] is False
    assert not [v for v in made["spec"]["volumes"] if v.get("projected")]
