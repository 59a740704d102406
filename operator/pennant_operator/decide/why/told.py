"""What the registry said last, as the status of a ModelDeployment tells it.

Who has Kubernetes' rights alone can ask nobody else. A version that ran here is what its record
says; of another one only its number is known, which is all that a decision about traffic needs.
"""

from dataclasses import replace

from pennant_operator.decide.seen.memory import Memory, memory_of
from pennant_operator.decide.seen.observed import (
    Absent,
    Desired,
    GateFacts,
    Images,
    ModelVersion,
    Object,
    Observed,
    PackageIndex,
    Refused,
    RegistryFacts,
    Turn,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Condition, Reason
from pennant_registry.gates import NO_GATES, Gates, TagGate, VersionFacts

UNKNOWN = "unknown"  # stands for what nobody tells
SILENT = {Reason.REGISTRY_UNREACHABLE, Reason.WAITING_FOR_REGISTRY}
EMPTY = {
    Reason.MODEL_NOT_FOUND,
    Reason.ALIAS_NOT_SET,
    Reason.STAGE_EMPTY,
    Reason.VERSION_NOT_FOUND,
}
NOT_TOLD = {Reason.VERSION_NOT_RESOLVED, Reason.MODEL_NOT_READABLE, Reason.MODEL_NOT_ANSWERED}
REFUSED = {
    Reason.REGISTRY_NOT_FOUND,
    Reason.REGISTRY_INVALID,
    Reason.NOT_ALLOWED,
    Reason.SOURCE_NOT_ALLOWED,
    Reason.IMAGE_NOT_ALLOWED,
    Reason.CONFIGURATION_ERROR,
}


def as_told(seen: Observed, watch: Watch | None) -> Observed:
    """With the registry's side as the status tells it; `seen.registry` is None where who asks may
    not read the ModelRegistry.
    """
    memory = memory_of(seen.owner)
    if watch is None:
        return replace(seen, desired=Unknown(Reason.WAITING_FOR_REGISTRY, ""))
    registry = _registry(seen, memory)
    number = memory.desired.get("version")
    asked = "gates" in memory.status
    return replace(
        seen,
        owner=seen.owner if asked else without_gates(seen.owner),
        desired=_desired(seen, memory, watch),
        registry=registry,
        images=_images(seen),
        gate_facts=GateFacts(VersionFacts(number)) if number else None,
        turn=Turn(registry.max_rollouts) if _reason(memory) == Reason.IN_LINE else Turn(),
    )


def version_of(records: dict[str, Record], watch: Watch, number: str) -> ModelVersion:
    """A version, by its record if it has one here."""
    named = (watch.model, number)
    matching = [r for r in records.values() if (r.model, r.version) == named and r.created]
    record = max(matching, key=lambda each: (each.created, each.number), default=None)
    if record is None:
        return ModelVersion(watch.model, number, 1, f"mlflow-artifacts:/{UNKNOWN}")
    return ModelVersion.of_record(record)


def without_gates(owner: Object) -> Object:
    """As if all of its own gates were passed but closed windows, which nothing opens but time."""
    gates = owner["spec"].get("gates")
    if not gates:
        return owner
    left = {"closed": gates["closed"]} if gates.get("closed") else {}
    return owner | {"spec": owner["spec"] | {"gates": left}}


def open_gates(gates: Gates) -> Gates:
    """The same of a ModelRegistry's."""
    return Gates(closed=gates.closed)


def _reason(memory: Memory) -> str:
    return str(memory.condition(Condition.ALIAS_IN_SYNC).get("reason", ""))


def _desired(seen: Observed, memory: Memory, watch: Watch) -> Desired:
    condition, number = memory.condition(Condition.ALIAS_IN_SYNC), memory.desired.get("version")
    reason, message = _reason(memory), str(condition.get("message", ""))
    if reason in SILENT or not condition:
        return Unknown(reason or Reason.WAITING_FOR_REGISTRY, message)
    if reason in NOT_TOLD:
        version = number if reason == Reason.VERSION_NOT_RESOLVED else None
        return Unresolved(reason, message, version)
    if reason in EMPTY:  # what was seen once only leaves status.desired as it was
        return Unresolved(reason, message) if number else Absent(reason, message)
    if reason in REFUSED:
        return Refused(reason, message, number)
    if number is None:
        return Absent(Reason.ALIAS_NOT_SET, message)
    return version_of(seen.records, watch, number)


def _registry(seen: Observed, memory: Memory) -> RegistryFacts:
    """As far as it has a say in what is told; a stand-in where it may not be read."""
    known = seen.registry or RegistryFacts(
        UNKNOWN,
        allowed_sources=tuple(record.source for record in seen.records.values()),
        allowed_images=("*",),
        index=PackageIndex(UNKNOWN),
    )
    known = replace(known, braked=_reason(memory) == Reason.BRAKED)
    gates: list[dict[str, str]] = memory.status.get("gates") or []
    if not gates:
        return replace(known, gates=open_gates(known.gates))  # nobody asks them now
    if known.gates == NO_GATES and any("registry" in gate for gate in gates):
        return replace(known, gates=Gates(tags=(TagGate(UNKNOWN),)))
    return known


def _images(seen: Observed) -> Images:
    """Nothing is rendered to be run: that there is an image for each Python is all that counts."""
    python = (seen.owner["spec"].get("serving") or {}).get("python", UNKNOWN)
    return Images(UNKNOWN, UNKNOWN, by_python={python: UNKNOWN})
