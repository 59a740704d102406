"""A ModelRegistry and a ModelDeployment as a person applies them."""

from __future__ import annotations

from pennant_testing.control_plane.objects import Object


def model_registry(namespace: str, url: str) -> Object:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelRegistry",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"url": url, "pollInterval": "1s"},
    }


def model_deployment(namespace: str, model: str) -> Object:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "rec", "namespace": namespace},
        "spec": {"model": {"name": model, "alias": "production"}, "rollout": {"bake": "1s"}},
    }
