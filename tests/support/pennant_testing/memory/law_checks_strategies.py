"""What each strategy promises of sizes, and of the children that it needs while it moves."""

import json
import math
from decimal import Decimal
from typing import Any

from pennant_operator.decide.intent import AnnotatePod, Apply
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.times import parse_time
from pennant_testing.memory.cluster_state import REVISION, SLOTS, owner_uid
from pennant_testing.memory.law_checks_traffic import answers_nothing, check_proved, may_let_go
from pennant_testing.memory.routes import BOTH, LOBBY, Children, route_of, strategy_in_force
from pennant_testing.memory.simulated_cluster import Simulation

_LONG_AGO = "1970-01-01T00:00:00Z"
# The strategies that make each child, but for what the Service led to before the spec changed.
MADE_BY = {
    "rec-lobby": {"Recreate", "Auto"},
    "rec-pods": {"Recreate", "Auto"},
    "rec-candidate": {"Canary"},
}


def check_child(seen: Observed, write: Apply) -> None:
    """Nobody makes children that its strategy does not need."""
    name = write.manifest["metadata"]["name"]
    if name in MADE_BY:
        strategies = {strategy_in_force(seen.children, seen.owner["spec"]), _asked(seen)}
        assert strategies & MADE_BY[name], f"{_asked(seen)}: makes {name}"


def check_pods_of_the_lobby(world: Simulation, seen: Observed, write: Apply) -> None:
    """Law 1: what the lobby holds goes to pods that have the traffic, or passed."""
    slot = write.manifest["spec"]["selector"].get("pennant.dev/slot")
    assert slot in SLOTS, "law 1: the lobby leads to pods that nobody looked at"
    if world.active is None or world.active[0] != slot:
        check_proved(world, seen, slot, _revision(seen, slot))


def check_size(world: Simulation, seen: Observed, slot: str, size: int) -> None:
    """Law 3, as the strategy in force has it."""
    sizes = {each: _size_of(seen.children, each) for each in SLOTS}
    live, wanted = world.sizes(), seen.owner["spec"]["replicas"]
    strategy = strategy_in_force(seen.children, seen.owner["spec"])
    active = world.active is not None and world.active[0] == slot
    stays = size in {sizes[slot], live[slot]} and may_let_go(seen)  # as it was before an edit
    if strategy == "Rolling" and world.active is not None:
        _check_steps(world, seen, slot, size)
    if strategy == "Recreate" and size and not live[slot] and world.active is not None:
        _check_alone(world, seen, slot)
    if not active or stays or size == wanted:
        return
    if size == 0 and answers_nothing(world, seen, slot):
        return
    if strategy == "Recreate" and (live[slot] or _ready(seen, slot)):
        _check_makes_way(seen, size)
    elif strategy not in {"Recreate", "Rolling"}:
        assert size or not wanted, "law 3: what serves is taken down"
        assert not size, "law 3: what serves is scaled"


def _check_steps(world: Simulation, seen: Observed, slot: str, size: int) -> None:
    """No more pods than may be beside, and no fewer ready ones than may be away."""
    surge, away = _rolling(seen)
    wanted, other = seen.owner["spec"]["replicas"], _other(slot)
    beside = min(_size_of(seen.children, other), world.sizes()[other])
    if size > max(_size_of(seen.children, slot), world.sizes()[slot]):
        assert size + beside <= wanted + surge, f"Rolling: {size} and {beside} for {wanted}"
    both = route_of(seen.children.get("Service/rec")) == BOTH
    reached = SLOTS if both else (world.active[0],) if world.active else ()
    if slot not in reached or may_let_go(seen):
        return
    ready = {each: _ready(seen, each) for each in SLOTS}
    left = sum(min(ready[each], size if each == slot else ready[each]) for each in reached)
    enough = left >= wanted - away or ready[slot] <= size
    assert enough or answers_nothing(world, seen, slot), f"law 3: {left} ready pods of {wanted}"


def _check_alone(world: Simulation, seen: Observed, slot: str) -> None:
    """What comes gets the room of what ended: pods of the other slot are gone."""
    other = _other(slot)
    serves = world.active is not None and world.active[0] == slot
    if serves and route_of(seen.children.get("Service/rec")) != LOBBY:
        return  # what serves comes back to where it was
    pods = [p for p in world.pods[other] if not p.evicted and not p.lost(world.now)]
    assert not _size_of(seen.children, other), "Recreate: both slots are told to have pods"
    assert not pods or _asked(seen) == "Auto", f"Recreate: {len(pods)} pods of the other are there"


def _check_makes_way(seen: Observed, size: int) -> None:
    lobby = seen.children.get("Deployment/rec-lobby", {"spec": {"replicas": 1}})
    ready = lobby.get("status", {}).get("readyReplicas", 0)
    leads = route_of(seen.children.get("Service/rec")) == LOBBY
    assert size == 0, "law 3: what serves is scaled"
    assert leads, "law 3: what serves is taken down while the Service leads to it"
    assert ready >= lobby["spec"]["replicas"], "law 3: what serves is taken down, and nobody waits"


def check_shares(world: Simulation, seen: Observed, write: AnnotatePod) -> None:
    """Law 1: a share of the requests goes to pods that passed, by a Service that leads to them."""
    share = json.loads(write.shares or "{}").get("handOver")
    if share is None or not Decimal(share["percent"]):
        return
    assert world.active is not None, "Canary: a share of nothing"
    active, slot = world.active[0], _slot_of_candidate(world.children)
    assert slot in SLOTS, "Canary: a share for nobody"
    assert slot != active, "Canary: a share for what has the traffic"
    assert _revision(seen, slot) == share["revision"], "law 1: a share for another revision"
    has = {p.uid for p in seen.pods.get(active, ())}
    assert write.uid in has, "Canary: a pod without traffic is to share it"
    entry = (seen.owner.get("status") or {}).get("canary") or {}
    assert entry.get("revision") == share["revision"], "Canary: a share that nobody recorded"
    begins = not any(handed_over(p.shares) for pods in world.pods.values() for p in pods)
    if begins:
        check_proved(world, seen, slot, share["revision"])


def check_no_share_is_left(world: Simulation, seen: Observed, after: dict[str, Any]) -> None:
    """What is no candidate any more, or was rejected, gets nothing after the next plan."""
    status = seen.owner.get("status") or {}
    rejected = {entry["revision"] for entry in status.get("rejected", ())}
    candidate = status.get("candidate") or {}
    parked = parse_time(candidate.get("retryTime", _LONG_AGO)) > world.now
    wanted = {"" if parked else candidate.get("revision")} - rejected
    wanted.add((after.get("candidate") or {}).get("revision"))  # it is one again
    listed = {p.uid for pods in seen.pods.values() for p in pods}
    service = world.children.get("Service/rec", {"metadata": {}})
    ours = owner_uid(service) == world.owner["metadata"]["uid"]
    pods = [p for pods in world.pods.values() for p in pods] if ours and world.active else []
    for pod in pods:
        share = handed_over(pod.shares)
        if (
            share in world.versions
            and pod.uid in listed
            and not pod.terminating
            and not pod.evicted
        ):
            assert share in wanted, f"Canary: {share} is given up, and has a share"


def handed_over(shares: str) -> str:
    """The revision that gets some of a pod's requests; empty: none does, or it cannot be read."""
    try:
        share = json.loads(shares or "{}").get("handOver") or {}
        return str(share["revision"]) if Decimal(share.get("percent", "0")) else ""
    except (ValueError, ArithmeticError, KeyError, AttributeError):
        return ""


def _slot_of_candidate(children: Children) -> str:
    service: dict[str, Any] = children.get("Service/rec-candidate", {"spec": {}})
    return str(service["spec"].get("selector", {}).get("pennant.dev/slot", "none"))


def _asked(seen: Observed) -> str:
    return str(seen.owner["spec"].get("rollout", {}).get("strategy", "BlueGreen"))


def _other(slot: str) -> str:
    return SLOTS[1 - SLOTS.index(slot)]


def _rolling(seen: Observed) -> tuple[int, int]:
    """Pods that may be beside, and away, of as many as there are now."""
    wanted = seen.owner["spec"]["replicas"]
    rolling = seen.owner["spec"]["rollout"].get("rolling", {})
    surge = _pods(rolling.get("maxSurge", 1), wanted, math.ceil)
    away = _pods(rolling.get("maxUnavailable", 0), wanted, math.floor)
    return surge, away if surge or away else 1


def _pods(asked: int | str, wanted: int, rounded: Any) -> int:
    if isinstance(asked, str):
        return int(rounded(Decimal(asked.rstrip("%")) * wanted / 100))
    return asked


def _size_of(children: Children, slot: str) -> int:
    deployment = children.get(f"Deployment/rec-{slot}", {})
    return int(deployment.get("spec", {}).get("replicas", 0))


def _ready(seen: Observed, slot: str) -> int:
    pods = seen.pods.get(slot, ())
    return sum(p.ready and not p.terminating and not p.evicted for p in pods)


def _revision(seen: Observed, slot: str) -> str:
    deployment = seen.children.get(f"Deployment/rec-{slot}", {"metadata": {"labels": {}}})
    return str(deployment["metadata"].get("labels", {}).get(REVISION, ""))
