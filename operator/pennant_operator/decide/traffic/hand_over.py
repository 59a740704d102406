"""The children that are there only while a revision takes over, written and taken away again."""

from typing import Any

from pennant_operator.decide.intent import AnnotatePod, Delete, Write
from pennant_operator.decide.manifests import hand_over
from pennant_operator.decide.moves import Moves
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.step import Step


def wanted_children(step: Step, moves: Moves) -> list[Object]:
    """Those that are to be there, in the order in which they are needed."""
    spec, wanted = step.world.spec, []
    if moves.lobby:
        wanted += [hand_over.pods_service_of(spec), hand_over.lobby_of(spec, step.observed.images)]
    if moves.candidate is not None:
        wanted.append(hand_over.candidate_service_of(spec, moves.candidate))
    return wanted


def unwanted_deletions(step: Step, moves: Moves) -> list[Write]:
    """Of those that are there and are not to be."""
    name, gone = step.world.spec.name, []
    if not moves.lobby:
        gone += [f"Deployment/{name}-lobby", f"Service/{name}-pods"]
    if moves.candidate is None:
        gone.append(f"Service/{name}-candidate")
    live = (step.observed.children.get(key) for key in gone)
    return [_deletion_of(each) for each in live if each is not None]


def shares_writes(step: Step, moves: Moves) -> list[Write]:
    """Pods with traffic are told of it as it is now, and others nothing."""
    traffic = moves.traffic
    return [
        AnnotatePod(pod.name, pod.uid, wanted)
        for slot in step.world.slots.values()
        for pod in slot.pods or ()
        if not pod.terminating and pod.evicted is None
        for wanted in [moves.shares if traffic and slot.name == traffic.slot else ""]
        if pod.shares != wanted
    ]


def _deletion_of(live: dict[str, Any]) -> Delete:
    meta = live["metadata"]
    return Delete(live["kind"], meta["name"], meta["uid"], meta["resourceVersion"])
