"""Whose an object is that has the name of one of our children (law 11)."""

from enum import StrEnum

from pennant_operator.decide.observed import Object
from pennant_operator.decide.vocabulary import GROUP


class Owner(StrEnum):
    """Whose an object of our child's name is."""

    OURS = "ours"
    GONE = "gone"  # of a deleted ModelDeployment of the same name: the garbage collector comes
    FOREIGN = "foreign"


def ours(children: dict[str, Object], owner: Object) -> dict[str, Object]:
    """The children that this ModelDeployment controls."""
    return {key: child for key, child in children.items() if _whose(child, owner) is Owner.OURS}


def conflict(children: dict[str, Object], owner: Object) -> str | None:
    """What to tell when an object that is not ours has a child's name."""
    foreign = sorted(k for k, c in children.items() if _whose(c, owner) is Owner.FOREIGN)
    if not foreign:
        return None
    names = ", ".join(f"{owner['metadata']['namespace']}/{name}" for name in foreign)
    return (
        f"{names} exists and does not belong to this ModelDeployment; it is left as it is: "
        "rename or delete it (this is seen within seconds), "
        "or give this ModelDeployment another name"
    )


def awaited(children: dict[str, Object], owner: Object) -> bool:
    """Whether children of a deleted namesake, or deleted ones of ours, still are in the way."""
    return any(
        _whose(child, owner) is Owner.GONE or "deletionTimestamp" in child["metadata"]
        for child in children.values()
    )


def _whose(child: Object, owner: Object) -> Owner:
    """By the controller reference alone: a label can be copied, a uid cannot be guessed."""
    references = child["metadata"].get("ownerReferences", ())
    controller = next((ref for ref in references if ref.get("controller")), None)
    if controller is None:
        return Owner.FOREIGN
    if controller["uid"] == owner["metadata"]["uid"]:
        return Owner.OURS
    ours_before = (
        controller["kind"] == "ModelDeployment"
        and controller["apiVersion"].startswith(f"{GROUP}/")
        and controller["name"] == owner["metadata"]["name"]
    )
    return Owner.GONE if ours_before else Owner.FOREIGN
