"""The children that are there only while a revision takes over, written and taken away again."""

from datetime import timedelta
from typing import Any

from pennant_operator.decide.candidate.mirror import mirror_from
from pennant_operator.decide.intent import AnnotatePod, Delete, Write
from pennant_operator.decide.manifests import hand_over
from pennant_operator.decide.manifests.managed_fields import applied_entry
from pennant_operator.decide.manifests.shares import shares_content
from pennant_operator.decide.moves import Moves
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import parse_time

LOBBY_STAYS = timedelta(seconds=10)  # once the Service leads to pods again


def wanted_children(step: Step, moves: Moves) -> list[Object]:
    """Those that are to be there, in the order in which they are needed."""
    spec, wanted = step.world.spec, []
    if moves.lobby and moves.traffic is not None:
        slot = moves.traffic.slot
        wanted += [
            hand_over.pods_service_of(spec, slot),
            hand_over.lobby_of(spec, step.observed.images),
        ]
    if moves.candidate is not None:
        wanted.append(hand_over.candidate_service_of(spec, moves.candidate))
    return wanted


def unwanted_deletions(step: Step, moves: Moves) -> list[Write]:
    """Of those that are there and are not to be."""
    name = step.world.spec.name
    stays = moves.lobby or _is_still_used(step)
    gone = () if stays else (f"Deployment/{name}-lobby", f"Service/{name}-pods")
    return _deletions(step, *gone)


def _is_still_used(step: Step) -> bool:
    """The Service led to the lobby a moment ago, and not every node knows that it does no more."""
    service, there = step.world.service, step.world.lobby.deployment is not None
    written = applied_entry(service).get("time") if service is not None and there else None
    return written is not None and step.now - parse_time(written) < LOBBY_STAYS


def ends_of_shares(step: Step, moves: Moves) -> list[Write]:
    """Before pods leave: nobody is to hand requests over to them any more."""
    if moves.candidate is not None:
        return []
    candidate = f"Service/{step.world.spec.name}-candidate"
    return [*_shares_writes(step, moves), *_deletions(step, candidate)]


def new_shares(step: Step, moves: Moves) -> list[Write]:
    """Once the candidate can be reached."""
    return [] if moves.candidate is None else _shares_writes(step, moves)


def _shares_writes(step: Step, moves: Moves) -> list[Write]:
    """Pods with traffic are told of it as it is now, and others nothing."""
    traffic, shares = moves.traffic, _shares_of(step, moves)
    return [
        AnnotatePod(pod.name, pod.uid, wanted)
        for slot in step.world.slots.values()
        for pod in slot.pods or ()
        if not pod.terminating and pod.evicted is None
        for wanted in [shares if traffic and slot.name == traffic.slot else ""]
        if pod.shares != wanted
    ]


def _shares_of(step: Step, moves: Moves) -> str:
    target, candidate = step.goal.target, None
    if moves.weight and target is not None:
        candidate = target, step.version_of(target), moves.weight
    mirrors = bool(step.world.spec.replicas) and mirror_from(step, moves.traffic) is not None
    return shares_content(step.world.spec, candidate=candidate, mirrors=mirrors)


def _deletions(step: Step, *keys: str) -> list[Write]:
    live = (step.observed.children.get(key) for key in keys)
    return [_deletion_of(each) for each in live if each is not None]


def _deletion_of(live: dict[str, Any]) -> Delete:
    meta = live["metadata"]
    return Delete(live["kind"], meta["name"], meta["uid"], meta["resourceVersion"])
