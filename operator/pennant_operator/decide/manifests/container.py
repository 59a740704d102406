"""What the containers of a model pod have in common: environment, security, the mounted bundle."""

from typing import Any

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.vocabulary import MODELS

MODEL_PATH = "/models/bundle"


def security_context(*, writable_root: bool = False) -> dict[str, Any]:
    """Nothing to gain and nowhere to write but the volumes."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": not writable_root,
        "capabilities": {"drop": ["ALL"]},
    }


def identity_env(spec: Spec, version: ModelVersion, revision: str) -> list[dict[str, Any]]:
    """The variables that say what this pod is for."""
    return [
        env_value("PENNANT_MODEL_NAME", version.name),
        env_value("PENNANT_MODEL_VERSION", version.version),
        env_value("PENNANT_MODEL_PATH", MODEL_PATH),
        env_value("PENNANT_DEPLOYMENT", spec.name),
        env_value("PENNANT_REVISION", revision),
    ]


def env_value(name: str, text: str) -> dict[str, Any]:
    """A variable."""
    return {"name": name, "value": text}


def env_from_config(name: str, config: str, key: str, **more: bool) -> dict[str, Any]:
    """A variable from a key of a ConfigMap."""
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": config, "key": key, **more}}}


def volume_mounts(*, read_only: bool) -> list[dict[str, Any]]:
    """The bundle's volume, and a place for temporary files."""
    models: dict[str, Any] = {"name": MODELS, "mountPath": "/models"}
    if read_only:
        models["readOnly"] = True
    return [models, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 -- a path in the container
