"""What is worth asking the API server for before deciding."""

from datetime import datetime
from typing import Any

from pennant_operator.decide.observed import Desired, ModelVersion, Object
from pennant_operator.decide.spec import InvalidSpecError, parse
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    SLOTS,
)


def wants_pods(owner: Object, children: dict[str, Object], desired: Desired, now: datetime) -> bool:
    """Whether the pods must be listed: not while everything has long been as it should be.

    True in doubt: a needless LIST costs milliseconds, a missing one a wrong decision.
    """
    return not (_agreed(owner, desired) and _settled(owner, children, now))


def _agreed(owner: Object, desired: Desired) -> bool:
    """Status was made for this spec, and what serves is what is desired."""
    status = owner.get("status", {})
    if status.get("observedGeneration") != owner["metadata"].get("generation"):
        return False
    if status.get("candidate"):
        return False
    serving = (status.get("serving") or {}).get("version")
    return not isinstance(desired, ModelVersion) or desired.version == serving


def _settled(owner: Object, children: dict[str, Object], now: datetime) -> bool:
    name = owner["metadata"]["name"]
    service = children.get(f"Service/{name}", {})
    annotations = service.get("metadata", {}).get("annotations", {})
    active, since = (annotations.get(a) for a in (ANNOTATION_ACTIVE_SLOT, ANNOTATION_ACTIVE_SINCE))
    if active not in SLOTS or since is None:
        return False
    try:
        baked = now - parse_time(since) > parse(owner).bake
    except (InvalidSpecError, ValueError):
        return False
    idle = next(slot for slot in SLOTS if slot != active)
    return (
        baked
        and _all_ready(children.get(f"Deployment/{name}-{active}"))
        and _empty(children.get(f"Deployment/{name}-{idle}"))
    )


def _all_ready(deployment: Object | None) -> bool:
    if deployment is None:
        return False
    spec, status = deployment["spec"], deployment.get("status", {})
    counts = {spec.get("replicas", 1)}
    counts |= {status.get(name, 0) for name in ("replicas", "readyReplicas", "updatedReplicas")}
    return len(counts) == 1 and _observed(deployment, status)


def _empty(deployment: Object | None) -> bool:
    if deployment is None:
        return True
    status = deployment.get("status", {})
    return (
        deployment["spec"].get("replicas", 1) == 0
        and status.get("replicas", 0) == 0
        and _observed(deployment, status)
    )


def _observed(deployment: Object, status: dict[str, Any]) -> bool:
    """The Deployment controller has seen this generation: its counts are about it."""
    return bool(status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1))
