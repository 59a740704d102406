"""Whose an object is that has the name of one of our children (law 11)."""

from enum import StrEnum
from typing import Any

from pennant_operator.decide.spec import Spec
from pennant_operator.decide.vocabulary import GROUP


class Owner(StrEnum):
    """Whose an object of our child's name is."""

    OURS = "ours"
    GONE = "gone"  # of a deleted ModelDeployment of the same name: the garbage collector comes
    FOREIGN = "foreign"


def owner_of(child: dict[str, Any], spec: Spec) -> Owner:
    """By the controller reference alone: a label can be copied, a uid cannot be guessed."""
    references = child["metadata"].get("ownerReferences", ())
    controller = next((ref for ref in references if ref.get("controller")), None)
    if controller is None:
        return Owner.FOREIGN
    if controller["uid"] == spec.uid:
        return Owner.OURS
    ours_before = (
        controller["kind"] == "ModelDeployment"
        and controller["apiVersion"].startswith(f"{GROUP}/")
        and controller["name"] == spec.name
    )
    return Owner.GONE if ours_before else Owner.FOREIGN


def conflict(children: dict[str, dict[str, Any]], spec: Spec) -> str | None:
    """What to tell when an object that is not ours has a child's name."""
    foreign = sorted(k for k, child in children.items() if owner_of(child, spec) is Owner.FOREIGN)
    if not foreign:
        return None
    names = ", ".join(f"{spec.namespace}/{name}" for name in foreign)
    return (
        f"{names} exists and does not belong to this ModelDeployment; it is left as it is: "
        "rename or delete it, or give this ModelDeployment another name"
    )


def awaited(children: dict[str, dict[str, Any]], spec: Spec) -> bool:
    """Whether children of a deleted namesake, or deleted ones of ours, still are in the way."""
    return any(
        owner_of(child, spec) is Owner.GONE or "deletionTimestamp" in child["metadata"]
        for child in children.values()
    )
