"""One ModelDeployment and all that is its own, as `plan` sees it, as far as this user may look."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pennant_cli.cluster.api import Api, Object, at_once
from pennant_cli.cluster.refusals import KubernetesError, no_such
from pennant_operator.decide.goal.ownership import child_names, owned_children
from pennant_operator.decide.registry.registries import InvalidRegistryError, parse_registry
from pennant_operator.decide.seen.actions import parse_actions
from pennant_operator.decide.seen.observed import Images, Observed, RegistryFacts, Unknown
from pennant_operator.decide.seen.pod_facts import pod_facts
from pennant_operator.decide.seen.revision import Record, UnreadableRecordError, record_from_object
from pennant_operator.decide.vocabulary import LABEL_DEPLOYMENT, LABEL_SLOT, SLOTS, Reason

_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")  # any other one would be another path
NOT_ASKED = Unknown(Reason.WAITING_FOR_REGISTRY, "")


@dataclass(frozen=True)
class Sight:
    """What was seen, when, and what could not be."""

    observed: Observed
    now: datetime
    pods: tuple[Object, ...] = ()
    hidden: tuple[str, ...] = field(default=())  # why, one each


def owner_of(api: Api, name: str) -> Object:
    """The ModelDeployment; raises CommandError where there is none."""
    owner = api.get("ModelDeployment", name) if _NAME.fullmatch(name) else None
    if owner is None:
        there = [each["metadata"]["name"] for each in api.list("ModelDeployment")]
        raise no_such(name, api.namespace, there)
    return owner


def look_at(api: Api, name: str) -> Sight:
    """Everything about one, in one round of requests."""
    owner = owner_of(api, name)
    selector = f"{LABEL_DEPLOYMENT}={name}"
    names = child_names(owner)
    gets: list[Callable[[], Any]] = [partial(api.get, kind, child) for kind, child in names]
    *children, records, pods, actions, registries = at_once(
        *gets,
        partial(api.list, "ControllerRevision", selector),
        partial(api.list, "Pod", selector),
        partial(api.list, "RolloutAction"),
        partial(api.list, "ModelRegistry", everywhere=True),
    )
    hidden: list[str] = []
    there = {
        f"{kind}/{child}": _or(None, each, hidden)
        for (kind, child), each in zip(names, children, strict=True)
    }
    listed = tuple(_or([], pods, hidden))
    about = [a for a in _or([], actions, hidden) if a["spec"].get("deployment") == name]
    observed = Observed(
        owner=owner,
        desired=NOT_ASKED,
        registry=_registry(owner, _or([], registries, hidden)),
        images=Images("", ""),
        children={key: child for key, child in there.items() if child is not None},
        records=_records(owner, _or([], records, hidden)),
        actions=parse_actions(about),
        pods={slot: tuple(map(pod_facts, _in_slot(listed, slot))) for slot in SLOTS},
    )
    if isinstance(pods, KubernetesError):
        observed = replace(observed, pods={})
    return Sight(observed, datetime.now(UTC), listed, tuple(dict.fromkeys(hidden)))


def _or(nothing: Any, answer: Any, hidden: list[str]) -> Any:
    """What was answered, or nothing, and why it is not known."""
    if not isinstance(answer, KubernetesError):
        return answer
    hidden.append(str(answer))
    return nothing


def _in_slot(pods: tuple[Object, ...], slot: str) -> list[Object]:
    return [pod for pod in pods if pod["metadata"]["labels"].get(LABEL_SLOT) == slot]


def _records(owner: Object, objects: list[Object]) -> dict[str, Record]:
    owned = owned_children({f"x/{each['metadata']['name']}": each for each in objects}, owner)
    records = {}
    for each in owned.values():
        try:
            record = record_from_object(each)
        except UnreadableRecordError:
            continue  # the operator says so in an Event
        records[record.revision] = record
    return records


def _registry(owner: Object, registries: list[Object]) -> RegistryFacts | None:
    name = owner["spec"].get("registry", "default")
    registry = next((each for each in registries if each["metadata"]["name"] == name), None)
    try:
        return parse_registry(registry).facts() if registry is not None else None
    except InvalidRegistryError:
        return None  # its own conditions say so, and so does the ModelDeployment's


def slot_that_matters(owner: Object, children: dict[str, Object]) -> str:
    """That of the candidate, else the one that has the traffic; empty where neither is there."""
    status = owner.get("status") or {}
    if status.get("candidate"):
        return str(status["candidate"].get("slot", ""))
    service = children.get(f"Service/{owner['metadata']['name']}") or {}
    return str((service.get("spec", {}).get("selector") or {}).get(LABEL_SLOT, ""))
