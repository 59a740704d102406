"""What is desired while the registry is silent, or will not say anything of this model alone: what
it said last, if that was about this question.

The version's record says all that is needed to run it, so a change of `spec.serving`, or a pin on
a version that ran before, waits for nobody. Where it came from, and its
image, must still be allowed.
"""

from dataclasses import replace

from pennant_operator.decide.registry import images, sources
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import (
    Desired,
    ModelVersion,
    Observed,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Reason

# Nothing is said of where it is; else the registry says another version, or perhaps none.
_ABOUT_ONE_MODEL = (Reason.MODEL_NOT_READABLE, Reason.MODEL_NOT_ANSWERED)


def desired_despite_silence(observed: Observed, watch: Watch, memory: Memory) -> Desired:
    """The answer, or the version that stands for it; Unknown while nothing does."""
    silence = observed.desired
    if not isinstance(silence, Unknown | Unresolved) or observed.registry is None:
        return silence
    if isinstance(silence, Unresolved) and (
        silence.version or silence.reason not in _ABOUT_ONE_MODEL
    ):
        return silence
    last = _last_record(observed.records, watch, memory)
    if last is None:
        return silence
    registry = observed.registry
    if sources.source_refusal(last.source, registry.allowed_sources, registry=watch.registry):
        return silence
    if images.image_refusal(last.image, registry.allowed_images, registry=watch.registry):
        return silence
    return replace(ModelVersion.of_record(last), silence=silence)


def _last_record(records: dict[str, Record], watch: Watch, memory: Memory) -> Record | None:
    """The record of what is desired.

    A number may be another version's by now: its model was made again, or its server replaced.
    What an alias points at was tried, or the registry told of it and not where its bytes are.
    """
    pinned = watch.version is not None
    number = memory.desired.get("version") if memory.resolved_for(watch) else None
    identity = (watch.registry, watch.model, watch.version if pinned else number)
    matching = {
        revision: record
        for revision, record in records.items()
        if record.created and (record.registry, record.model, record.version) == identity
    }
    tried = memory.candidate, memory.serving, *memory.rejected
    known = matching.keys() if pinned else matching.keys() & {e.get("revision") for e in tried}
    by_recency = (e.get("revision") for e in (memory.candidate, *memory.history, memory.serving))
    newest = max(known, key=lambda each: (matching[each].created, each), default=None)
    last = next((revision for revision in by_recency if revision in known), newest)
    return matching[last] if last is not None else None
