"""Reduces a Pod to the facts that verdicts are made of."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import LABEL_REVISION

FETCH = "fetch"
SERVE = "serve"


@dataclass(frozen=True)
class Failure:
    """How a container last failed: its own termination message, or what the kubelet says."""

    container: str
    reason: str  # ours (LoadFailed ...) or the kubelet's (OOMKilled, Error, ImagePullBackOff ...)
    message: str
    exit_code: int | None  # None: it never ran
    at: datetime | None = None


@dataclass(frozen=True)
class PodFacts:
    """One pod of a slot."""

    name: str
    uid: str
    revision: str
    node: str | None
    created: datetime
    ready: bool = False
    terminating: bool = False
    scheduled: datetime | None = None
    fetched: datetime | None = None  # all init containers are done
    digest: str | None = None  # from the success message of `fetch`, never from `serve`
    attempts: int = 0  # terminations with a failure, `fetch` and `serve` together
    failure: Failure | None = None
    unschedulable: str | None = None  # the scheduler's message
    evicted: bool = False


def facts(pod: dict[str, Any]) -> PodFacts:
    """The facts of one Pod object as the API server returns it."""
    meta, status = pod["metadata"], pod.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    containers = [
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ]
    fetch = next((c for c in containers if c["name"] == FETCH), None)
    return PodFacts(
        name=meta["name"],
        uid=meta["uid"],
        revision=meta.get("labels", {}).get(LABEL_REVISION, ""),
        node=pod.get("spec", {}).get("nodeName"),
        created=parse_time(meta["creationTimestamp"]),
        ready=_is_true(conditions.get("Ready")),
        terminating="deletionTimestamp" in meta,
        scheduled=_since(conditions.get("PodScheduled")),
        fetched=_since(conditions.get("Initialized")),
        digest=_digest(fetch),
        attempts=sum(_attempts(c) for c in containers),
        failure=next((f for c in reversed(containers) if (f := _failure(c))), None),
        unschedulable=_unschedulable(conditions.get("PodScheduled")),
        evicted=status.get("reason") in {"Evicted", "Preempting", "NodeShutdown"},
    )


def _is_true(condition: dict[str, Any] | None) -> bool:
    return condition is not None and condition["status"] == "True"


def _since(condition: dict[str, Any] | None) -> datetime | None:
    if condition is None or condition["status"] != "True":
        return None
    return parse_time(condition["lastTransitionTime"])


def _unschedulable(condition: dict[str, Any] | None) -> str | None:
    if condition is None or condition["status"] == "True":
        return None
    return str(condition.get("message") or "not scheduled yet")


def _digest(container: dict[str, Any] | None) -> str | None:
    terminated = (container or {}).get("state", {}).get("terminated") or {}
    if terminated.get("exitCode") != 0:
        return None
    return _message(terminated).get("digest")


def _attempts(container: dict[str, Any]) -> int:
    """Failed terminations: every restart follows one, and the current state may be another."""
    now = container.get("state", {}).get("terminated") or {}
    return int(container.get("restartCount", 0)) + (1 if now.get("exitCode", 0) != 0 else 0)


def _failure(container: dict[str, Any]) -> Failure | None:
    state = container.get("state", {})
    for terminated in (state.get("terminated"), container.get("lastState", {}).get("terminated")):
        if terminated and terminated.get("exitCode", 0) != 0:
            said = _message(terminated)
            return Failure(
                container=container["name"],
                reason=said.get("reason") or terminated.get("reason") or "Error",
                message=said.get("message") or _unsaid(terminated),
                exit_code=int(terminated["exitCode"]),
                at=parse_time(terminated["finishedAt"]) if terminated.get("finishedAt") else None,
            )
    waiting = state.get("waiting") or {}
    if waiting.get("reason") in {None, "PodInitializing", "ContainerCreating"}:
        return None
    return Failure(container["name"], waiting["reason"], waiting.get("message") or "", None)


def _unsaid(terminated: dict[str, Any]) -> str:
    text = str(terminated.get("message") or "").strip()
    why = f"{terminated.get('reason') or 'ended'}, exit code {terminated['exitCode']}"
    return f"{why}: {text}" if text else f"{why}, without a message"


def _message(terminated: dict[str, Any]) -> dict[str, Any]:
    """The termination message when it is a JSON object; anything else says nothing to us."""
    try:
        said = json.loads(terminated.get("message") or "null")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
