"""The laws on a status: Ready is so, and what is said is a row of the truth table."""

from typing import Any

from pennant_operator.decide.seen.observed import (
    Observed,
    Unknown,
)
from pennant_testing.memory.cluster_state import SLOTS
from pennant_testing.memory.routes import BOTH, LOBBY, lobby_leads_to, route_of
from pennant_testing.memory.simulated_cluster import leads_to
from pennant_testing.memory.situations import table
from pennant_testing.memory.status_text import status_text
from pennant_testing.truth.kstatus import CURRENT, verdict

Children = dict[str, dict[str, Any]]

CONDITIONS = {"Ready", "Reconciling", "Stalled", "AliasInSync"}
ROWS = {text.words for text in table().values()}
WORDS = ROWS | {words[:-1] for words in ROWS}


def check_ready(known: Children, seen: Observed, status: dict[str, Any]) -> None:
    """Law 6: Ready says whether traffic is being answered."""
    statuses = {c["type"]: c["status"] for c in status["conditions"]}
    service = known.get("Service/rec", {"metadata": {}, "spec": {}})
    ours = [o["uid"] for o in service["metadata"].get("ownerReferences", ())]
    counts = {slot: _answering(seen, slot) for slot in SLOTS}
    slot = leads_to(service, {slot: (count > 0,) for slot, count in counts.items()})
    reached = {BOTH: list(SLOTS), LOBBY: lobby_leads_to(known)}.get(route_of(service), [slot])
    if seen.owner["metadata"]["uid"] not in ours:
        reached = []
    answers = sum(counts.get(slot, 0) for slot in reached)
    assert (statuses["Ready"] == "True") == bool(answers), f"law 6: Ready={statuses['Ready']}"


def check_pin(seen: Observed, status: dict[str, Any], pinned: str | None) -> None:
    """Law 6: what a person pinned and does not serve is not said to be as asked."""
    if pinned is None or seen.owner["spec"].get("suspend") or not seen.owner["spec"]["replicas"]:
        return
    settled = verdict({**seen.owner, "status": status}) == CURRENT
    serves = (status.get("serving") or {}).get("version")
    assert not settled or serves in {pinned, "unknown"}, f"law 6: {pinned} is pinned"


def _answering(seen: Observed, slot: str) -> int:
    pods = seen.pods.get(slot)
    if pods is not None:
        return sum(p.ready and not p.terminating and not p.evicted for p in pods)
    counted = seen.children.get(f"Deployment/rec-{slot}", {}).get("status", {})
    return int(counted.get("readyReplicas", 0))


def check_conditions(seen: Observed, status: dict[str, Any]) -> None:
    types = [c["type"] for c in status["conditions"]]
    assert len(types) == len(set(types)), "a condition twice"
    assert set(types) == CONDITIONS, f"conditions: {types}"
    words = status_text(status["summary"], status["conditions"]).words
    words = (*words[:-1], words[-1].replace("Pinned", "InSync"))  # said in the same situations
    if isinstance(seen.desired, Unknown) and seen.desired.since is None:
        words = words[:-1]  # what AliasInSync said stays said
    assert words in WORDS, f"law 6: no row of the truth table: {words}"
    for condition in status["conditions"]:
        assert condition["message"], f"{condition['type']} says nothing"
        assert "None" not in condition["message"], condition["message"]
