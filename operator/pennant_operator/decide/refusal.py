"""The status of a ModelDeployment about which nothing can be decided.

It says what a person must do. Nothing else is touched: what serves goes on serving, and what the
status knew of it is kept.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.conditions import FALSE, TRUE, stamp
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.observed import Refused
from pennant_operator.decide.transitions import stalled
from pennant_operator.decide.vocabulary import Condition, Summary


def refuse(owner: dict[str, Any], why: Refused, now: datetime) -> Plan:
    """Stalled=True with the reason; the other conditions stay, Ready=False if there were none."""
    before: dict[str, Any] = owner.get("status") or {}
    generation = int(owner["metadata"].get("generation", 0))
    known = before.get("conditions") or []
    said = [(Condition.STALLED, TRUE)]
    if not known:
        said.insert(0, (Condition.READY, FALSE))
    new = [
        stamp(known, kind, status, why.reason, why.message, generation=generation, now=now)
        for kind, status in said
    ]
    kept = [c for c in known if c["type"] != Condition.STALLED]
    status = {
        **before,
        "observedGeneration": generation,
        "summary": str(Summary.STALLED),
        "conditions": [*kept, *new],
    }
    event = stalled(before, status)
    return Plan(status=status, events=(event,) if event else ())
