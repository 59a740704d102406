"""Small builders: sensible defaults, and only what a test is about spelled out."""

from datetime import UTC, datetime
from typing import Any

from pennant_operator.decide.seen.observed import Images, ModelVersion, PackageIndex, RegistryFacts
from pennant_registry import lock_form
from pennant_registry.lock_form import EnvironmentLock

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
IMAGES = Images("pennant-serving:1", "pennant-serving:1", by_python={"3.12": "serving-py3.12:1"})
REGISTRY = RegistryFacts(url="http://mlflow.example:5000")
INDEX = PackageIndex(
    "https://packages.example/simple", ("https://wheels.example/simple",), "package-index"
)


def model_deployment(
    name: str = "rec", *, status: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A ModelDeployment as the API server returns it, defaults filled in as the CRD does."""
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": f"uid-of-{name}",
            "generation": 1,
            "resourceVersion": "1",
        },
        "spec": {
            "registry": "default",
            "model": {"name": "news", "alias": "production"},
            "replicas": 2,
            "rollout": {"bake": "2m"},
            **spec,
        },
        "status": status or {"observedGeneration": -1},
    }


def installed(packages: str = "a", *, size: int = 1000) -> dict[str, Any]:
    """What `fetch` reports of the packages that it installed; a hexadecimal digit says which."""
    return {"digest": packages * 64, "python": "3.12", "pins": f"pins-{packages}", "bytes": size}


def locked(packages: str = "d") -> str:
    """A version's tag that locks its packages; a hexadecimal digit says which."""
    return lock_form.written(EnvironmentLock(packages * 64, "3.12", f"pins-$(A)$$-{packages}"))


def rollout_action(
    action: str,
    *,
    name: str = "",
    created: datetime = NOW,
    status: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A RolloutAction about ModelDeployment rec, as the API server returns it."""
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "RolloutAction",
        "metadata": {
            "name": name or action.lower(),
            "namespace": "team",
            "uid": f"uid-of-{name or action.lower()}-{created.timestamp()}",
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "spec": {"deployment": "rec", "action": action, **spec},
        **({"status": status} if status else {}),
    }


def version(number: int | str, *, tag: bool = True, created: int | None = None) -> ModelVersion:
    """A version the registry answered with; with a digest tag unless told otherwise."""
    return ModelVersion(
        name="news",
        version=str(number),
        created=created if created is not None else 1000 + int(number),
        source=f"mlflow-artifacts:/1/run{number}/artifacts/newsreco.pkl",
        sha256=f"sha-of-{number}" if tag else None,
    )
