"""A ModelRegistry and a ModelDeployment as a person applies them."""

from __future__ import annotations

from typing import Any

from pennant_testing.control_plane.objects import Object


def model_registry(namespace: str, url: str, name: str = "default", **spec: Any) -> Object:
    """One that is polled every second, unless the spec says otherwise.

    And without a brake: tests that wait side by side move more aliases within one poll than people
    do.
    """
    usual = {"pollInterval": "1s", "brake": {"share": "1"}}
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelRegistry",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"url": url, **usual, **spec},
    }


def model_deployment(namespace: str, model: str, name: str = "rec", /, **spec: Any) -> Object:
    """One that follows the alias `production` and bakes a second, unless the spec says else."""
    usual = {"model": {"name": model, "alias": "production"}, "rollout": {"bake": "1s"}}
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": usual | spec,
    }
