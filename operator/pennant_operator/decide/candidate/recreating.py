"""Recreate, and Auto where there is no room for two: what serves makes way for its successor.

What has to be there first is the lobby, which holds requests meanwhile; then the pods of what
served have to be gone. Auto tries a version beside what serves, then once this way: where it finds
no room then either, it is others who use it, and what served would make way in vain.
"""

from pennant_operator.decide.candidate.faults import with_cure
from pennant_operator.decide.candidate.room import lack_of_room
from pennant_operator.decide.manifests.hand_over import LOBBY_PODS
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.verdict import Crowded, Held
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.durations import format_duration


def recreates(world: World, memory: Memory, target: str | None) -> bool:
    """Whether what serves makes way for this revision, or has done so for another."""
    route = Route.SLOT if world.traffic is None else world.traffic.route
    if route is not Route.SLOT:
        return route is Route.LOBBY
    if world.spec.strategy.name is not StrategyName.AUTO:
        return world.spec.strategy.name is StrategyName.RECREATE
    decided = memory.candidate if memory.candidate.get("revision") == target else {}
    return decided.get("strategy") == StrategyName.RECREATE


def holds_requests(lobby: Slot) -> bool:
    """Whether the lobby is ready, all of it, so that what serves may make way."""
    return lobby.ready >= LOBBY_PODS


def crowded(step: Step) -> Crowded | None:
    """Auto: that a candidate has waited long enough for room beside what serves."""
    world, candidate, target = step.world, step.memory.candidate, step.goal.target
    if world.spec.strategy.name is not StrategyName.AUTO or candidate.get("revision") != target:
        return None
    makes_way = world.active is not None and world.active.size > 0
    if "strategy" in candidate or not makes_way:
        return None
    lack = lack_of_room(world.idle, step.now)
    patience = min(world.spec.strategy.auto_after, world.spec.deadlines.schedule)
    if lack is None or step.now - lack.since < patience:
        return None
    waited = f"found no room beside what serves within {format_duration(patience)}"
    return Crowded(f"{waited} (spec.rollout.autoAfter): {lack.message}")


def held_without_room(step: Step) -> Held | None:
    """Auto: that it finds no room where what served has made way, either: others use it."""
    world = step.world
    lack = lack_of_room(world.idle, step.now)
    if world.spec.strategy.name is not StrategyName.AUTO or lack is None:
        return None
    patience = world.spec.strategy.auto_after
    if step.now - lack.since < patience:
        return None
    late = f"found no room within {format_duration(patience)} (spec.rollout.autoAfter)"
    made_way = "though what served had made way, so others use it"
    return Held(lack.reason, f"{late}, {made_way}: {lack.message}")


def held_by_lobby(step: Step) -> Held | None:
    """That the lobby does not come up, so that what serves cannot make way."""
    world, candidate, limit = step.world, step.memory.candidate, step.world.spec.deadlines.schedule
    waits = world.active is not None and world.active.size > 0 and not holds_requests(world.lobby)
    if not waits or candidate.get("revision") != step.goal.target:
        return None
    if step.now - parse_time(candidate["since"]) < limit:
        return None
    late = f"waited longer than {format_duration(limit)} (spec.rollout.deadlines.schedule)"
    message = f"{late} for the lobby: {lobby_trouble(world)}"
    return Held(Reason.LOBBY_NOT_READY, with_cure(Reason.LOBBY_NOT_READY, message))


def lobby_trouble(world: World) -> str:
    """How far the lobby is, and what the API server says where it may make no pods."""
    ready = f"{world.lobby.ready} of {LOBBY_PODS} pods of Deployment {world.spec.name}-lobby are"
    return f"{ready} ready" + (f": {world.lobby.shortage}" if world.lobby.shortage else "")


def hand_over_message(step: Step, world: World) -> str:
    """What a candidate waits for; empty where nothing makes way for it."""
    active, target = world.active, step.goal.target
    if active is None or target is None or not recreates(world, step.memory, target):
        return ""
    if active.size and (world.traffic is None or world.traffic.route is not Route.LOBBY):
        return f"takes over once the lobby can hold requests: {lobby_trouble(world)}"
    if active.size or not active.empty:
        return "comes up once the pods of what served have ended; requests wait in the lobby"
    return ""
