"""Reduces a Pod to the facts that verdicts are made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.quantities import parse_quantity
from pennant_operator.decide.seen.environment import InstalledEnvironment, environment_from_report
from pennant_operator.decide.seen.termination import (
    Failure,
    failed_attempts,
    failure_of,
    termination_message,
)
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import (
    ANNOTATION_TRAFFIC,
    CACHE,
    FETCH,
    LABEL_REVISION,
    MODELS,
    PORT_NAME,
    SERVE,
)

ENDED_WITHOUT_MESSAGE = "the node ended it"
LOST_AFTER_GRACE = timedelta(seconds=30)  # a kubelet takes a second or two to report the end


@dataclass(frozen=True)
class PodFacts:
    """One pod of a slot."""

    name: str
    uid: str
    revision: str
    node: str | None
    created: datetime
    ready: bool = False
    been_ready: bool = False  # now, or before
    terminating: bool = False
    ends_by: datetime | None = None  # the end of its grace, once it terminates
    scheduled: datetime | None = None
    fetched: datetime | None = None  # all init containers are done
    ready_since: datetime | None = None
    digest: str | None = None  # from the success message of `fetch`, never from `serve`
    environment: InstalledEnvironment | None = None  # likewise
    attempts: int = 0  # terminations with a failure of the container that `failure` is about
    failure: Failure | None = None
    unschedulable: str | None = None  # the scheduler's message
    claims: tuple[str, ...] = ()  # the PersistentVolumeClaims that it mounts
    mounting: bool = False  # it has a node, and neither its volumes nor its network yet
    evicted: str | None = None  # why its node ended it: it holds no process any more
    overfull: str | None = None  # its volume holds more than it may, so its node will end it
    resource_version: str = ""
    address: str = ""  # host:port of its server, where it has one
    shares: str = ""  # what it was told of whom to hand requests over to

    @property
    def hangs(self) -> bool:
        """It was never ready, and no container of it failed."""
        return not self.ready and not self.been_ready and self.failure is None

    def lost(self, now: datetime) -> bool:
        """Nobody reports its end: its node is dead, or something holds the object alone.

        Its grace is over for long, and it is not ready, so that no Service leads to it.
        """
        late = self.ends_by is not None and now > self.ends_by + LOST_AFTER_GRACE
        return late and not self.ready


def pod_facts(pod: dict[str, Any]) -> PodFacts:
    """The facts of one Pod object as the API server returns it."""
    meta, status = pod["metadata"], pod.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    containers = [
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ]
    fetched = _fetch_result(next((c for c in containers if c["name"] == FETCH), None))
    environment = environment_from_report(fetched.get("environment"))
    limits = {
        c["name"]: c.get("resources", {}).get("limits", {}).get("memory")
        for c in pod.get("spec", {}).get("containers", ())
    }
    failed = next(((c, f) for c in reversed(containers) if (f := failure_of(c, limits))), None)
    return PodFacts(
        name=meta["name"],
        uid=meta["uid"],
        revision=meta.get("labels", {}).get(LABEL_REVISION, ""),
        node=pod.get("spec", {}).get("nodeName"),
        created=parse_time(meta["creationTimestamp"]),
        ready=_is_true(conditions.get("Ready")),
        been_ready=_been_ready(conditions, meta["creationTimestamp"]),
        terminating="deletionTimestamp" in meta,
        # The API server adds the grace to the time of the deletion.
        ends_by=parse_time(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        scheduled=_since(conditions.get("PodScheduled"), meta["creationTimestamp"]),
        fetched=_since(conditions.get("Initialized"), meta["creationTimestamp"]),
        ready_since=_since(conditions.get("Ready"), meta["creationTimestamp"]),
        digest=_digest(fetched),
        environment=environment,
        attempts=failed_attempts(failed[0]) if failed else 0,
        failure=failed[1] if failed else None,
        unschedulable=_unschedulable(conditions.get("PodScheduled")),
        claims=_claims(pod),
        mounting=_is_false(conditions.get("PodReadyToStartContainers")),
        evicted=_evicted(status),
        overfull=_overfull(pod, fetched.get("bytes"), environment),
        resource_version=meta.get("resourceVersion", ""),
        address=_address(pod),
        shares=(meta.get("annotations") or {}).get(ANNOTATION_TRAFFIC, ""),
    )


def _address(pod: dict[str, Any]) -> str:
    """Ours have an address of their own: at a node's, somebody else may answer."""
    spec, host = pod.get("spec", {}), pod.get("status", {}).get("podIP", "")
    container: dict[str, Any] = next(
        (c for c in spec.get("containers", ()) if c["name"] == SERVE), {}
    )
    ports: dict[str, Any] = {
        p.get("name"): p.get("containerPort") for p in container.get("ports", ())
    }
    port = ports.get(PORT_NAME)
    if not host or not port or spec.get("hostNetwork"):
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _evicted(status: dict[str, Any]) -> str | None:
    """A pod that always restarts ends in a final phase only when its node ends it."""
    if status.get("phase") not in {"Failed", "Succeeded"}:
        return None
    if not status.get("message"):
        return f"{status.get('reason') or 'Evicted'}: {ENDED_WITHOUT_MESSAGE}"
    return f"{status.get('reason') or 'Evicted'}: {status['message'].rstrip('. ')}"


def _is_true(condition: dict[str, Any] | None) -> bool:
    return condition is not None and condition["status"] == "True"


def _is_false(condition: dict[str, Any] | None) -> bool:
    return condition is not None and condition["status"] == "False"


def _been_ready(conditions: dict[str, Any], created: str) -> bool:
    """Its init containers run before it can be ready: a later change to not ready is no first."""
    ready, initialized = conditions.get("Ready"), _since(conditions.get("Initialized"), created)
    if ready is None or initialized is None:
        return False
    changed = parse_time(ready.get("lastTransitionTime") or created)
    return _is_true(ready) or changed > initialized


def _since(condition: dict[str, Any] | None, created: str) -> datetime | None:
    if condition is None or condition["status"] != "True":
        return None
    # Not only the kubelet writes statuses, and others leave the time out.
    return parse_time(condition.get("lastTransitionTime") or created)


def _unschedulable(condition: dict[str, Any] | None) -> str | None:
    if condition is None or condition["status"] == "True":
        return None
    return str(condition.get("message") or "not scheduled yet")


def _claims(pod: dict[str, Any]) -> tuple[str, ...]:
    volumes = pod.get("spec", {}).get("volumes", ())
    named = (v.get("persistentVolumeClaim", {}).get("claimName") for v in volumes)
    return tuple(name for name in named if name)


def _digest(fetched: dict[str, Any]) -> str | None:
    digest = fetched.get("digest")
    return digest if isinstance(digest, str) else None


def _overfull(
    pod: dict[str, Any], bundle: Any, environment: InstalledEnvironment | None
) -> str | None:
    """The kubelet looks at volumes about once a minute: long after the version could be ready."""
    volumes = pod.get("spec", {}).get("volumes", ())
    limit = next(
        (v.get("emptyDir", {}).get("sizeLimit") for v in volumes if v["name"] == MODELS), 0
    )
    most = parse_quantity(limit)
    if not isinstance(bundle, int) or not most or _follows_links(pod):
        return None
    if bundle + (environment.size if environment else 0) <= most:
        return None
    beside = f" and its environment {environment.size}" if environment else ""
    return f"the bundle has {bundle} bytes{beside}, spec.serving.storage.size is {limit}"


def _follows_links(pod: dict[str, Any]) -> bool:
    """Its server reads what is in the cache, so that its own volume holds no copy of it."""
    containers = pod.get("spec", {}).get("containers", ())
    mounts = (m for c in containers if c["name"] == SERVE for m in c.get("volumeMounts", ()))
    return any(mount["name"] == CACHE for mount in mounts)


def _fetch_result(container: dict[str, Any] | None) -> dict[str, Any]:
    """What `fetch` said when it had done its work."""
    terminated = (container or {}).get("state", {}).get("terminated") or {}
    return termination_message(terminated) if terminated.get("exitCode") == 0 else {}
