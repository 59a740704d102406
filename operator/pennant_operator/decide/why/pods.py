"""The pods of a candidate: what hinders them, and how they would be without it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.observed import Object, Observed
from pennant_operator.decide.seen.pod_facts import PodFacts

Candidate = dict[str, Any]  # status.candidate; empty: there is none


def in_trouble(seen: Observed, candidate: Candidate) -> str:
    """What is wrong with its pods, in the first words that are known; empty: nothing."""
    for pod in seen.pods.get(candidate.get("slot", ""), ()):
        if pod.terminating or pod.revision != candidate.get("revision"):
            continue
        if pod.failure is not None:
            return f"container {pod.failure.container} of pod {pod.name}: {pod.failure.message}"
        if why := pod.unschedulable or pod.evicted or pod.overfull:
            return f"pod {pod.name}: {why}"
    conditions = (_deployment(seen, candidate) or {}).get("status", {}).get("conditions", ())
    failed = (c for c in conditions if c["type"] == "ReplicaFailure" and c["status"] == "True")
    return next((str(c.get("message", "")) for c in failed), "")


def stuck(seen: Observed, candidate: Candidate, now: datetime) -> list[str]:
    """Names of pods of an earlier revision that do not end, in the slot that it waits for."""
    return [
        pod.name
        for pod in seen.pods.get(candidate.get("slot", ""), ())
        if pod.terminating and pod.revision != candidate.get("revision")
        if pod.ends_by is None or pod.ends_by < now
    ]


def with_good_pods(seen: Observed, candidate: Candidate, now: datetime) -> Observed:
    """As if they had all they lack, and were ready a moment ago."""
    deployment = _deployment(seen, candidate)
    if deployment is None:
        return seen
    size = int(deployment["spec"].get("replicas", 0))
    record = seen.records.get(candidate["revision"])
    digest = record.sha256 if record is not None and record.sha256 else "as registered"
    pods = tuple(_good_pod(number, candidate, digest, now) for number in range(size))
    return _in_slot(seen, candidate, deployment, pods)


def without_stuck_pods(seen: Observed, candidate: Candidate, now: datetime) -> Observed:
    """As if they had ended."""
    gone, slot = set(stuck(seen, candidate, now)), candidate["slot"]
    pods = tuple(pod for pod in seen.pods[slot] if pod.name not in gone)
    deployment = _deployment(seen, candidate)
    if deployment is None:
        return replace(seen, pods=seen.pods | {slot: pods})
    return _in_slot(seen, candidate, deployment, pods)


def _good_pod(number: int, candidate: Candidate, digest: str, now: datetime) -> PodFacts:
    return PodFacts(
        name=f"{candidate['slot']}-{number}",
        uid=f"good-{number}",
        revision=candidate["revision"],
        node=f"node-{number}",
        created=now,
        ready=True,
        been_ready=True,
        scheduled=now,
        fetched=now,
        ready_since=now,
        digest=digest,
    )


def _in_slot(
    seen: Observed, candidate: Candidate, deployment: Object, pods: tuple[PodFacts, ...]
) -> Observed:
    counted = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": len(pods),
        "readyReplicas": sum(pod.ready for pod in pods),
    }
    child = {f"Deployment/{deployment['metadata']['name']}": deployment | {"status": counted}}
    return replace(seen, children=seen.children | child, pods=seen.pods | {candidate["slot"]: pods})


def _deployment(seen: Observed, candidate: Candidate) -> Object | None:
    name = seen.owner["metadata"]["name"]
    return seen.children.get(f"Deployment/{name}-{candidate.get('slot')}")
