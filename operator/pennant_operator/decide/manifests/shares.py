"""The file by which a pod of ours learns whom to hand requests over to, or to copy them to.

It is an annotation of the pod, not of the template: it changes while the pod runs, within half a
second, and makes no revision. A pod whose annotation is not there does neither.
"""

import json
from typing import Any

from pennant_operator.decide.manifests.container import env_value
from pennant_operator.decide.seen.revision import SHARES_VARIABLE
from pennant_operator.decide.seen.spec import CUSTOM, Spec
from pennant_operator.decide.vocabulary import ANNOTATION_TRAFFIC

_VOLUME, _FOLDER, _FILE = "traffic", "/etc/pennant/traffic", "traffic"


def shares_env() -> list[dict[str, Any]]:
    """The variable of `serve` that names the file."""
    return [env_value(SHARES_VARIABLE, f"{_FOLDER}/{_FILE}")]


def shares_mounts(spec: Spec) -> list[dict[str, Any]]:
    """Where `serve` reads it; a server of the user's own has none."""
    mount = {"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}
    return [] if spec.serving.get("mode") == CUSTOM else [mount]


def shares_volumes(spec: Spec) -> list[dict[str, Any]]:
    """The pod's own annotation as a file."""
    if spec.serving.get("mode") == CUSTOM:
        return []
    field = {"fieldPath": f"metadata.annotations['{ANNOTATION_TRAFFIC}']"}
    return [{"name": _VOLUME, "downwardAPI": {"items": [{"path": _FILE, "fieldRef": field}]}}]


def shares_content(
    spec: Spec, *, candidate: tuple[str, str, str] | None = None, mirrors: bool = False
) -> str:
    """What the file is to hold, the same text for the same shares; empty: nothing.

    `candidate`: revision, version and percent of what gets a share.
    """
    shares: dict[str, Any] = {}
    if candidate is not None:
        revision, version, percent = candidate
        shares["handOver"] = {
            "to": f"{spec.name}-candidate.{spec.namespace}.svc:80",
            "revision": revision,
            "version": version,
            "percent": percent,
            "salt": revision,
        }
        if (sticky := spec.strategy.sticky) is not None:
            shares["handOver"]["by"] = {sticky.kind: sticky.name}
    if mirrors and spec.mirror is not None:
        to = spec.mirror.address(spec.namespace)
        shares["mirror"] = {"to": to, "percent": spec.mirror.percent}
    return json.dumps(shares, sort_keys=True, separators=(",", ":")) if shares else ""
