"""What is desired while the registry is silent: what it said last, if that was about this question.

The version's record says all that is needed to run it, so a change of `spec.serving`, or a pin on
a version that ran before, waits for nobody. Where it came from must still be allowed.
"""

from pennant_operator.decide import sources
from pennant_operator.decide.memory import Memory
from pennant_operator.decide.observed import Desired, ModelVersion, Observed, Unknown
from pennant_operator.decide.revision import Record
from pennant_operator.decide.spec import Watch


def recalled(observed: Observed, watch: Watch, memory: Memory) -> Desired:
    """The answer, or the version that stands for it; Unknown while nothing does."""
    silence = observed.desired
    if not isinstance(silence, Unknown) or observed.registry is None:
        return silence
    number = watch.version
    if number is None and memory.answered(watch):
        number = memory.desired.get("version")
    wanted = (watch.registry, watch.model, number)
    found = [
        record
        for record in observed.records.values()
        if record.created and (record.registry, record.model, record.version) == wanted
    ]
    if not found:
        return silence
    last = _last_told(found, memory)
    allowed = observed.registry.allowed_sources
    if sources.refusal(last.source, allowed, registry=watch.registry):
        return silence
    return ModelVersion(
        name=last.model,
        version=last.version,
        created=last.created,
        source=last.source,
        sha256=last.sha256,
        registered=last.registered,
        silence=silence,
    )


def _last_told(found: list[Record], memory: Memory) -> Record:
    """A number may be another version's by now: its model was made again, its server replaced.

    Which was made first says nothing of which was desired last.
    """
    records = {record.revision: record for record in found}
    told = (memory.candidate, *memory.history)
    last = next((r for entry in told if (r := records.get(entry.get("revision", "")))), None)
    return last or max(found, key=lambda record: record.created)
