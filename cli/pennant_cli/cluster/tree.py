"""`status`: ModelDeployments with their slots, revisions and pods, as data and as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pennant_cli.cluster.api import Api, Object, at_once
from pennant_cli.cluster.refusals import KubernetesError
from pennant_cli.cluster.seeing import owner_of
from pennant_cli.output import printable
from pennant_operator.decide.seen.pod_facts import PodFacts, pod_facts
from pennant_operator.decide.vocabulary import (
    LABEL_DEPLOYMENT,
    LABEL_REVISION,
    LABEL_SLOT,
    SLOTS,
    Condition,
)

CHILDREN = ("Deployment", "Service", "Pod")
Entry = dict[str, Any]


def status_of(api: Api, name: str = "", *, everywhere: bool = False) -> list[Entry]:
    """One of them, or all; what this user may not see is left out, and told in `hidden`."""
    owners = [owner_of(api, name)] if name else api.list("ModelDeployment", everywhere=everywhere)
    selector = f"{LABEL_DEPLOYMENT}={name}" if name else LABEL_DEPLOYMENT
    listed = at_once(
        *(partial(api.list, kind, selector, everywhere=everywhere) for kind in CHILDREN)
    )
    hidden = [str(each) for each in listed if isinstance(each, KubernetesError)]
    objects = [o for each in listed if not isinstance(each, KubernetesError) for o in each]
    return [_entry(owner, _own(owner, objects), hidden) for owner in owners]


def _own(owner: Object, objects: list[Object]) -> list[Object]:
    meta = owner["metadata"]
    return [
        each
        for each in objects
        if each["metadata"]["namespace"] == meta["namespace"]
        and each["metadata"]["labels"].get(LABEL_DEPLOYMENT) == meta["name"]
    ]


def _entry(owner: Object, own: list[Object], hidden: list[str]) -> Entry:
    status, meta = owner.get("status") or {}, owner["metadata"]
    children = {f"{each['kind']}/{each['metadata']['name']}": each for each in own}
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    in_sync = conditions.get(Condition.ALIAS_IN_SYNC, {})
    return {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "summary": status.get("summary", "no operator has looked at it yet"),
        "follows": follows(owner),
        "desired": (status.get("desired") or {}).get("version"),
        "serving": (status.get("serving") or {}).get("version"),
        "ready": conditions.get(Condition.READY, {}).get("status") == "True",
        "reason": in_sync.get("reason", ""),
        "message": in_sync.get("message", ""),
        "slots": slots_of(owner, children, tuple(e for e in own if e["kind"] == "Pod")),
        "hidden": hidden,
    }


def follows(owner: Object) -> str:
    model = owner["spec"].get("model") or {}
    pointer = next((p for p in ("alias", "stage", "version") if model.get(p)), "")
    return f"{model.get('name', '')} {pointer} {model.get(pointer, '')}".strip()


def slots_of(
    owner: Object, children: Mapping[str, Object], pods: tuple[Object, ...]
) -> list[dict[str, Any]]:
    """Each slot that is in use: its revision, what it is for, and its pods."""
    status, name = owner.get("status") or {}, owner["metadata"]["name"]
    service = children.get(f"Service/{name}") or {}
    active = (service.get("spec", {}).get("selector") or {}).get(LABEL_SLOT)
    slots = []
    for slot in SLOTS:
        deployment = children.get(f"Deployment/{name}-{slot}")
        own = [pod for pod in pods if pod["metadata"]["labels"].get(LABEL_SLOT) == slot]
        if deployment is None and not own:
            continue
        template = (deployment or {}).get("spec", {}).get("template", {}).get("metadata", {})
        revision = template.get("labels", {}).get(LABEL_REVISION, "")
        role = _role(status, slot, active)
        version = _versions(status).get(revision, "")
        size = (deployment or {}).get("spec", {}).get("replicas", 0)
        ready = (deployment or {}).get("status", {}).get("readyReplicas", 0)
        if role == "standby" and not size:
            role = "empty"
        named = f"version {version}, " if version else ""
        slots.append(
            {
                "slot": slot,
                "role": role,
                "revision": revision,
                "version": version,
                "what": f"{role}; {named}revision {revision}; {ready} of {size} pods ready",
                "pods": [_pod(pod_facts(pod)) for pod in own],
            }
        )
    return slots


def _role(status: dict[str, Any], slot: str, active: str | None) -> str:
    if slot == active:
        return "has the traffic"
    return "candidate" if (status.get("candidate") or {}).get("slot") == slot else "standby"


def _versions(status: dict[str, Any]) -> dict[str, str]:
    """By revision, as far as the status tells."""
    parts = (status.get("serving"), status.get("candidate"))
    entries = [*(status.get("history") or ()), *(status.get("rejected") or ())]
    entries += [each for each in parts if each]
    return {each["revision"]: each["version"] for each in entries}


def _pod(facts: PodFacts) -> dict[str, str]:
    return {"pod": facts.name, "node": facts.node or "", "what": _state(facts)}


def _state(pod: PodFacts) -> str:
    if pod.terminating:
        return "ends"
    if pod.failure is not None:
        return f"{pod.failure.reason} in container {pod.failure.container}: {pod.failure.message}"
    if why := pod.evicted or pod.overfull:
        return why
    if pod.ready:
        return f"ready, on {pod.node}"
    if pod.scheduled is None:
        return f"waits for a node: {pod.unschedulable or 'not scheduled yet'}"
    return f"{'loads' if pod.fetched else 'fetches'}, on {pod.node}"


_COLOURS = {"Serving": "green", "Baking": "cyan", "RollingOut": "cyan", "Waiting": "yellow"}


def drawn(entries: list[Entry]) -> Any:
    """As rich draws it."""
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    trees = []
    for each in entries:
        summary = (each["summary"], _COLOURS.get(each["summary"], "red"))
        tree = Tree(Text.assemble((each["name"], "bold"), f" ({each['namespace']}) ", summary))
        for line in lines_of(each):
            tree.add(Text(printable(line)))
        for slot in each["slots"]:
            branch = tree.add(Text(printable(f"{slot['slot']}: {slot['what']}")))
            for pod in slot["pods"]:
                branch.add(Text(printable(f"{pod['pod']}: {pod['what']}")))
        trees.append(tree)
    return Group(*trees)


def lines_of(entry: Entry) -> Iterator[str]:
    """What is not about a slot."""
    desired, serving = entry["desired"] or "-", entry["serving"] or "-"
    yield f"{entry['follows']}: desired {desired}, serving {serving}"
    if entry["message"]:
        yield f"{entry['reason']}: {entry['message']}"
    yield from entry["hidden"]
