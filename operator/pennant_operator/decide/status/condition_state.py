"""One condition: what is to be said of it, and the metav1.Condition that says so."""

from datetime import datetime
from typing import Any

from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import Reason

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
MESSAGE_LIMIT = 32768  # characters of a condition's message: the API server takes no more
ConditionState = tuple[str, Reason | str, str]  # status, reason, message


def stamped_condition(
    before: list[dict[str, Any]],
    kind: str,
    status: str,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> dict[str, Any]:
    """A metav1.Condition; its transition time is kept while its status is."""
    old = next((c for c in before if c["type"] == kind), None)
    same = old is not None and old["status"] == status
    return {
        "type": str(kind),
        "status": status,
        "reason": str(reason),
        "message": _within_limit(message),
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"] if old and same else format_time(now),
    }


def _within_limit(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"
