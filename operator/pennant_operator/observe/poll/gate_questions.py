"""What one ModelDeployment wants to know of which versions before they get a pod. Pure.

Its gates ask, and an image that may not run: its tag is read again as a gate's is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pennant_operator.decide.goal.gates import CLOSED
from pennant_operator.decide.seen.memory import Memory, memory_of
from pennant_operator.decide.seen.observed import ModelVersion, Object
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import InvalidSpecError, Watch, parse_spec
from pennant_operator.observe.poll.version_facts import Identity, Part
from pennant_registry.gates import NO_GATES, Gates, Result, VersionFacts

Parts: TypeAlias = frozenset[Part]
NOTHING: Parts = frozenset()


@dataclass(frozen=True)
class GateQuestion:
    """What one ModelDeployment's gates ask, or its image, and whether they hold the version."""

    watch: Watch
    version: Identity
    parts: Parts
    # That it is compared with; facts: it cannot be asked. None: nothing serves, or none compares.
    serving: Identity | VersionFacts | None = None
    serving_parts: Parts = NOTHING
    on_hold: bool = False  # by what may say something else without a new version

    def parts_by_version(self) -> dict[Identity, Parts]:
        """Versions that something is asked about, and what."""
        asked = {self.version: self.parts}
        if isinstance(self.serving, Identity):
            asked[self.serving] = asked.get(self.serving, NOTHING) | self.serving_parts
        return {version: parts for version, parts in asked.items() if parts}


def gate_question(
    owner: Object,
    desired: ModelVersion,
    floor: Gates,
    records: Mapping[str, Record],
    *,
    tag_refused: bool = False,
) -> GateQuestion | None:
    """What is to be known before this version gets a pod; None where nobody asks, or it serves.

    `floor` are the ModelRegistry's gates.
    """
    if floor == NO_GATES and not owner["spec"].get("gates") and not tag_refused:
        return None
    try:
        spec = parse_spec(owner)
    except InvalidSpecError:  # `plan` says what is wrong with it
        return None
    gates = (spec.gates, floor)
    version = Identity(desired.name, desired.version, desired.created)
    memory = memory_of(owner)
    serving = serving_version(memory, spec.watch, records)
    if _is_same(serving, version):
        return None
    if tag_refused:
        return GateQuestion(spec.watch, version, frozenset({Part.TAGS}), on_hold=True)
    compared = NOTHING if serving is None else frozenset(_compared(gates))
    return GateQuestion(
        spec.watch,
        version,
        frozenset(_parts(gates)),
        serving if compared else None,
        compared,
        _is_held(memory, desired),
    )


def serving_version(
    memory: Memory, watch: Watch, records: Mapping[str, Record]
) -> Identity | VersionFacts | None:
    """As it was recorded: the spec may name another model, or registry, by now."""
    version = memory.serving.get("version")
    if version is None:
        return None
    record = records.get(memory.serving.get("revision", ""))
    if record is None:
        return Identity(watch.model, version, 0)
    if record.registry not in {"", watch.registry}:
        why = f"it came from ModelRegistry {record.registry}"
        return VersionFacts(version, why, why, why)
    return Identity(record.model, version, record.created)


def _is_same(serving: Identity | VersionFacts | None, version: Identity) -> bool:
    if not isinstance(serving, Identity):
        return False
    return serving[:2] == version[:2] and serving.created in {0, version.created}


def _parts(gates: Iterable[Gates]) -> Iterable[Part]:
    for each in gates:
        yield from [Part.TAGS] if each.tags else []
        yield from [Part.METRICS] if each.metrics else []
        yield from [Part.BUNDLE] if each.about_the_bundle else []


def _compared(gates: Iterable[Gates]) -> Iterable[Part]:
    for each in gates:
        yield from [Part.METRICS] if any(m.max_drop or m.max_rise for m in each.metrics) else []
        yield from [Part.BUNDLE] if each.compatible else []


def _is_held(memory: Memory, desired: ModelVersion) -> bool:
    """`status.gates` is there while a version is held; all of its gates are in it."""
    if memory.desired.get("version") != desired.version:
        return False
    return any(
        each.get("result") != Result.PASSED and each.get("gate") != CLOSED
        for each in memory.status.get("gates") or ()
    )
