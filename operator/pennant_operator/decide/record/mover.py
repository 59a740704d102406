"""Who moved the alias or the stage, where `promote` wrote it down and the registry said it anyway.

A rollback is recorded on the version that was left, which nobody asks for: who made one is not
known here.
"""

from typing import Any

from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Desired, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.times import parse_time
from pennant_registry.names import TAG_PROMOTED_AS, TAG_PROMOTED_AT, TAG_PROMOTED_BY

UNKNOWN = "unknown"


def moved_by(desired: Desired, watch: Watch, memory: Memory) -> str:
    """By the record of the move that made this version the desired one."""
    if not isinstance(desired, ModelVersion) or watch.version is not None:
        return UNKNOWN
    suffix = f"stage.{watch.stage}" if watch.stage else str(watch.alias)
    tags = desired.moves
    owner = tags.get(f"{TAG_PROMOTED_AS}.{suffix}")
    if owner != f"{desired.name}/{desired.version}@{suffix}":  # MLflow copies tags with a version
        return UNKNOWN
    if _was_elsewhere_since(tags.get(f"{TAG_PROMOTED_AT}.{suffix}", ""), desired.version, memory):
        return UNKNOWN
    return tags.get(f"{TAG_PROMOTED_BY}.{suffix}") or UNKNOWN


def _was_elsewhere_since(promoted: str, version: str, memory: Memory) -> bool:
    """Whether another version served after this promotion: then the alias came back otherwise."""
    try:
        at = parse_time(promoted)
        return any(
            entry.get("version") != version and parse_time(str(entry[since])) > at
            for entry, since in _served(memory)
        )
    except (ValueError, TypeError, OverflowError):
        return True


def _served(memory: Memory) -> list[tuple[dict[str, Any], str]]:
    served = [(entry, "time") for entry in memory.history if entry.get("result") == "Serving"]
    serving = memory.serving
    return [*served, *([(serving, "since")] if serving.get("since") else [])]
