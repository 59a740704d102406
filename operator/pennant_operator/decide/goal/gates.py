"""Whether a version may have pods: its gates, which are asked before there are any.

Those of the ModelRegistry are a floor: those of the ModelDeployment come on top of them, and both
must be passed. What passed once is not asked again: neither a version that served here, because
going back waits for no form, nor one whose rollout has begun.
"""

from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import ModelVersion, Observed
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.world import World
from pennant_registry.gates import (
    NO_GATES,
    GateResult,
    Gates,
    Result,
    VersionFacts,
    evaluate,
    open_at,
)

CLOSED = "closed"  # the gate that no answer of a registry opens, nor a person
NOT_ASKED = "what they ask for is not known yet"


@dataclass(frozen=True)
class AskedGate:
    """What one gate says; `registry` is the name of the ModelRegistry whose it is, if of one."""

    result: GateResult
    registry: str | None = None

    @property
    def message(self) -> str:
        """As a part of a sentence, with whose gate it is."""
        whose = f" (a gate of ModelRegistry {self.registry})" if self.registry else ""
        return f"{self.result.message}{whose}"


def holding_gates(
    observed: Observed,
    world: World,
    memory: Memory,
    desired: ModelVersion,
    revision: str,
    now: datetime,
) -> tuple[AskedGate, ...]:
    """What all gates say of a version that one of them holds; empty where it may have pods."""
    floor = observed.registry.gates if observed.registry else NO_GATES
    own = world.spec.gates
    if (floor, own) == (NO_GATES, NO_GATES) or _has_passed(
        observed, world, memory, desired, revision
    ):
        return ()
    asked = _all_asked(observed, world.spec, desired, now)
    if memory.approves(revision):
        asked = tuple(each for each in asked if each.result.gate == CLOSED)
    return asked if any(each.result.result is not Result.PASSED for each in asked) else ()


def gates_as_known(
    observed: Observed, spec: Spec, desired: ModelVersion, now: datetime
) -> tuple[AskedGate, ...]:
    """What all gates say of a version now, whatever follows; without those nobody has asked yet."""
    asked = _all_asked(observed, spec, desired, now)
    return tuple(each for each in asked if each.result.message != NOT_ASKED)


def end_of_windows(gates: tuple[AskedGate, ...]) -> datetime | None:
    """When the first closed window among them ends; None where there is none."""
    return open_at(each.result for each in gates)


def _all_asked(
    observed: Observed, spec: Spec, desired: ModelVersion, now: datetime
) -> tuple[AskedGate, ...]:
    floor = observed.registry.gates if observed.registry else NO_GATES
    return (
        *_asked(observed, desired, floor, spec.watch.registry, now),
        *_asked(observed, desired, spec.gates, None, now),
    )


def _asked(
    observed: Observed, desired: ModelVersion, gates: Gates, registry: str | None, now: datetime
) -> list[AskedGate]:
    facts = observed.gate_facts
    if facts is not None and facts.version.version == desired.version:
        results = evaluate(gates, facts.version, facts.serving, now)
    elif gates.ask_the_registry:
        results = (GateResult("gates", Result.UNKNOWN, "", "", NOT_ASKED),)
    else:
        results = evaluate(gates, VersionFacts(desired.version), None, now)
    return [AskedGate(result, registry) for result in results]


def _has_passed(
    observed: Observed, world: World, memory: Memory, desired: ModelVersion, revision: str
) -> bool:
    """It serves, or did, or is under way: whatever its pods were given since."""
    idle, traffic = world.idle, world.traffic
    under_way = {memory.candidate.get("revision"), traffic.revision if traffic else None}
    if idle.size:
        under_way.add(idle.revision)
    return any(
        each in under_way or memory.served_last(each)
        for each in revisions_of(observed, desired, revision)
    )


def revisions_of(observed: Observed, desired: ModelVersion, revision: str) -> set[str]:
    """All revisions of a version, whatever its pods were given; `revision` is today's.

    Its own record may have been deleted: by its name it is known all the same.
    """
    identity = (desired.name, desired.version, desired.created)
    return {revision} | {
        record.revision
        for record in observed.records.values()
        if (record.model, record.version, record.created) == identity
    }
