"""Whose an object is that has the name of one of our children (law 11)."""

from enum import StrEnum
from typing import Any

from pennant_operator.decide.intent import Adopt
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.vocabulary import (
    API_VERSION,
    GROUP,
    LABEL_DEPLOYMENT,
    LABEL_MANAGED_BY,
    MANAGED_BY,
    SLOTS,
)


class Ownership(StrEnum):
    """Whose an object of our child's name is."""

    OURS = "ours"
    GONE = "gone"  # of a deleted ModelDeployment of the same name: the garbage collector comes
    ORPHAN = "orphan"  # ours by its labels, and nobody's: its ModelDeployment left it
    FOREIGN = "foreign"


def child_names(owner: Object) -> list[tuple[str, str]]:
    """Kind and name of every child with a fixed name that its strategy may need."""
    name = owner["metadata"]["name"]
    strategy = (owner["spec"].get("rollout") or {}).get("strategy", StrategyName.BLUE_GREEN)
    return [
        *_names_needed_by(strategy, name),
        ("Service", name),
        *(("Deployment", f"{name}-{slot}") for slot in SLOTS),
        ("ConfigMap", f"{name}-registry"),
        ("ConfigMap", f"{name}-digests"),
        *(("PodDisruptionBudget", f"{name}-{slot}") for slot in SLOTS),
    ]


def hand_over_names(name: str) -> list[tuple[str, str]]:
    """Of the children that are there only while a revision takes over, by any strategy."""
    return [*_lobby_names(name), *_canary_names(name)]


def _names_needed_by(strategy: str, name: str) -> list[tuple[str, str]]:
    """What another strategy would need may be somebody else's."""
    if strategy in {StrategyName.RECREATE, StrategyName.AUTO}:
        return _lobby_names(name)
    return _canary_names(name) if strategy == StrategyName.CANARY else []


def _lobby_names(name: str) -> list[tuple[str, str]]:
    return [("Deployment", f"{name}-lobby"), ("Service", f"{name}-pods")]


def _canary_names(name: str) -> list[tuple[str, str]]:
    return [("Service", f"{name}-candidate")]


def owned_children(children: dict[str, Object], owner: Object) -> dict[str, Object]:
    """The children that this ModelDeployment controls."""
    return {
        key: child
        for key, child in children.items()
        if _ownership_of(child, owner) is Ownership.OURS
    }


def name_conflict(children: dict[str, Object], owner: Object) -> str | None:
    """What to tell when an object that is not ours has a child's name."""
    foreign = sorted(k for k, c in children.items() if _ownership_of(c, owner) is Ownership.FOREIGN)
    return names_taken_message(owner, *foreign) if foreign else None


def names_taken_message(owner: Object, *children: str) -> str:
    """What to tell of children (`Kind/name`) whose names somebody else has."""
    names = ", ".join(f"{owner['metadata']['namespace']}/{name}" for name in children)
    return (
        f"{names} exists and does not belong to this ModelDeployment; it is left as it is: "
        "rename or delete it (this is seen within seconds), "
        "or give this ModelDeployment another name"
    )


def adoptions(children: dict[str, Object], owner: Object) -> tuple[Adopt, ...]:
    """The orphans get this owner; what else refers to them stays."""
    meta = owner["metadata"]
    mine = controller_reference(meta["name"], meta["uid"])
    adopted = []
    for key, child in sorted(children.items()):
        if _ownership_of(child, owner) is Ownership.ORPHAN:
            kind, name = key.split("/")
            others = child["metadata"].get("ownerReferences", ())
            version = child["metadata"]["resourceVersion"]
            adopted.append(Adopt(kind, name, version, (*others, mine)))
    return tuple(adopted)


def controller_reference(name: str, uid: str) -> dict[str, Any]:
    """Says which ModelDeployment an object belongs to."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelDeployment",
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def awaits_deletion(children: dict[str, Object], owner: Object) -> bool:
    """Whether children of a deleted namesake, or deleted ones of ours, still are in the way."""
    return any(
        _ownership_of(child, owner) is Ownership.GONE or "deletionTimestamp" in child["metadata"]
        for child in children.values()
    )


def _ownership_of(child: Object, owner: Object) -> Ownership:
    """By the controller reference: a label can be copied, a uid cannot be guessed.

    Labels count where there is none. Whoever can set those on an object could as well delete it.
    """
    references = child["metadata"].get("ownerReferences", ())
    controller = next((ref for ref in references if ref.get("controller")), None)
    if controller is None:
        return Ownership.ORPHAN if _bears_our_labels(child, owner) else Ownership.FOREIGN
    if controller["uid"] == owner["metadata"]["uid"]:
        return Ownership.OURS
    ours_before = (
        controller["kind"] == "ModelDeployment"
        and controller["apiVersion"].startswith(f"{GROUP}/")
        and controller["name"] == owner["metadata"]["name"]
    )
    return Ownership.GONE if ours_before else Ownership.FOREIGN


def _bears_our_labels(child: Object, owner: Object) -> bool:
    labels = child["metadata"].get("labels", {})
    named = labels.get(LABEL_DEPLOYMENT) == owner["metadata"]["name"]
    return bool(named and labels.get(LABEL_MANAGED_BY) == MANAGED_BY)
