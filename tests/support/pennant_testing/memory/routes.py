"""Where requests go, by what was written: to a slot, to both, or to the lobby and on from there."""

from typing import Any

from pennant_testing.memory.cluster_state import SLOTS

Children = dict[str, dict[str, Any]]

SLOT, BOTH, LOBBY = "a slot", "both slots", "the lobby"


def route_of(service: dict[str, Any] | None) -> str:
    """Where the selector of the Service leads."""
    selector = service["spec"].get("selector", {}) if service else {}
    if "pennant.dev/lobby" in selector:
        return LOBBY
    both = "pennant.dev/deployment" in selector and "pennant.dev/slot" not in selector
    return BOTH if both else SLOT


def strategy_in_force(children: Children, spec: dict[str, Any]) -> str:
    """That of the spec; but whatever leads to both slots, or to the lobby, ends it first."""
    asked: str = spec.get("rollout", {}).get("strategy", "BlueGreen")
    began = {BOTH: "Rolling", LOBBY: "Recreate"}
    return began.get(route_of(children.get("Service/rec")), asked)


def lobby_leads_to(children: Children) -> list[str]:
    """The slots whose pods get what the lobby holds; none while no pod of it is ready."""
    lobby = children.get("Deployment/rec-lobby", {}).get("status", {})
    service = children.get("Service/rec-pods")
    if service is None or not lobby.get("readyReplicas"):
        return []
    slot = service["spec"].get("selector", {}).get("pennant.dev/slot")
    return [each for each in SLOTS if slot in (None, each)]
