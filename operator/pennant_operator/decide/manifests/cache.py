"""The claim that pods share, beside each pod's own volume (`spec.serving.storage.cache`).

Only `fetch` writes there. Our server follows links of the pod's own volume into it; a server of
the user's own gets copies, and does not see it.
"""

from typing import Any

from pennant_operator.decide.manifests.container import env_value
from pennant_operator.decide.seen.spec import CUSTOM, Spec
from pennant_operator.decide.vocabulary import CACHE

CACHE_PATH = "/cache"
LINK, COPY = "link", "copy"


def cache_env(spec: Spec) -> list[dict[str, Any]]:
    """The variables of `fetch`; none without a cache."""
    if spec.cache is None:
        return []
    return [
        env_value("PENNANT_CACHE_PATH", CACHE_PATH),
        env_value("PENNANT_CACHE_SIZE", str(spec.cache.size)),
        env_value("PENNANT_CACHE_ROLLOUT", spec.uid),
        env_value("PENNANT_CACHE_USE", LINK if _follows_links(spec) else COPY),
    ]


def cache_volumes(spec: Spec) -> list[dict[str, Any]]:
    """The claim's volume."""
    if spec.cache is None:
        return []
    return [{"name": CACHE, "persistentVolumeClaim": {"claimName": spec.cache.claim}}]


def fetch_mounts(spec: Spec) -> list[dict[str, Any]]:
    """Where `fetch` writes."""
    return [{"name": CACHE, "mountPath": CACHE_PATH}] if spec.cache else []


def serve_mounts(spec: Spec) -> list[dict[str, Any]]:
    """Where our server reads."""
    return [{**mount, "readOnly": True} for mount in fetch_mounts(spec) if _follows_links(spec)]


def ownership(spec: Spec) -> dict[str, Any]:
    """Of the pod: else the kubelet would change the owner of all that is in the claim, each time
    that it is mounted.
    """
    return {"fsGroupChangePolicy": "OnRootMismatch"} if spec.cache else {}


def _follows_links(spec: Spec) -> bool:
    return spec.serving.get("mode") != CUSTOM
