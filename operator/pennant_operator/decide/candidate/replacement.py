"""Replace: one bad pod among ready siblings is deleted, and its slot makes another.

A pod that keeps failing where the same bundle answers elsewhere may have a bad node. One at a
time, and not soon again: the pods' own ages are the clock, so that a restarted operator keeps the
pace.
"""

from datetime import datetime, timedelta

from pennant_operator.decide.candidate.faults import FAULTS, reason_of
from pennant_operator.decide.candidate.trouble import pod_trouble
from pennant_operator.decide.intent import WARNING, Delete, Event
from pennant_operator.decide.moves import Moves
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import EventReason

FAILED_ATTEMPTS_LIMIT = 3  # of a container: then its pod is given up
REPLACEMENT_PAUSE = timedelta(minutes=2)  # between two: the least age of all pods of the slot


def replacements(world: World, moves: Moves, now: datetime) -> list[PodFacts]:
    """The pods to give up: at most one of each slot that keeps its revision and its size."""
    settled = [
        world.slots[name]
        for name, next_slot in moves.slots.items()
        if world.slots[name].revision == next_slot.revision and next_slot.size
    ]
    load = world.spec.deadlines.load
    return [pod for slot in settled if (pod := _bad_pod(slot, load, now)) is not None]


def pod_deletion(pod: PodFacts) -> Delete:
    """Of this pod as it was seen: one that recovered meanwhile is left alone."""
    return Delete("Pod", pod.name, pod.uid, pod.resource_version)


def replacement_event(pod: PodFacts) -> Event:
    """What is done, and why."""
    how = f"failed {pod.attempts} times"
    if pod.failure is None:
        how = "loads for longer than spec.rollout.deadlines.load"
    message = (
        f"{pod_trouble(pod)}; {how} on {pod.node} while the others of its slot are "
        "ready: the pod is deleted, another takes its place"
    )
    return Event(WARNING, EventReason.POD_REPLACED, message)


def _bad_pod(slot: Slot, load: timedelta, now: datetime) -> PodFacts | None:
    pods = slot.running
    bad = [pod for pod in pods if _keeps_failing(pod) or _hangs(pod, load, now)]
    # With as many bad as ready ones, nobody knows which is the exception.
    if not bad or len(bad) + sum(pod.ready for pod in pods) < len(pods) or 2 * len(bad) > len(pods):
        return None
    leaving = any(pod.terminating for pod in slot.pods or ())
    if leaving or any(now - pod.created < REPLACEMENT_PAUSE for pod in pods):
        return None
    return max(bad, key=lambda pod: (pod.attempts, pod.name))


def _hangs(pod: PodFacts, load: timedelta, now: datetime) -> bool:
    """It loads for longer than it may, without a word."""
    return pod.hangs and pod.fetched is not None and now - pod.fetched > load


def _keeps_failing(pod: PodFacts) -> bool:
    if pod.ready or pod.failure is None or not FAULTS[reason_of(pod.failure)].replace:
        return False
    # An image that cannot be pulled has had its attempts when the pod is old enough.
    return pod.attempts >= FAILED_ATTEMPTS_LIMIT or pod.failure.exit_code is None
