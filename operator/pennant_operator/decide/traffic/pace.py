"""When to look again, and whether pods must be listed for it. Idle means never: events wake us."""

from datetime import datetime, timedelta

from pennant_operator.decide.candidate.attempts import is_parked
from pennant_operator.decide.seen.memory import Memory, parked_until
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.times import parse_time

FAST_LOOK_SECONDS, SLOW_LOOK_SECONDS = 1.0, 5.0  # seconds between two lists of pods
HELD_UP_LOOK_SECONDS = 0.5  # while requests wait in the lobby
SLOW_LOOKS_AFTER = timedelta(minutes=1)  # then a rollout is looked at slowly
ANSWERS_LOOK_SECONDS = 2.0  # at most, between two looks at a bake that is judged by its answers
ALONE_LOOK_SECONDS = 10.0  # at the answers of what has nothing to go back to, or at copies


def unsettled(world: World, memory: Memory, now: datetime) -> bool:
    """A rollout, a bake, pods on their way out, or too few ready ones: pods are listed."""
    candidate = memory.candidate
    rolling = bool(candidate) and not is_parked(candidate, candidate["revision"], now)
    rolling = rolling or world.on_both
    short = world.active is not None and world.active.ready != world.spec.replicas
    leaving = not world.idle.empty
    judged = world.baking(now) or _is_judged(world, memory, now)
    handing_over = world.lobby.deployment is not None or _is_held_up(world)
    return any((rolling, short, leaving, judged, handing_over, _is_mirrored(world, memory)))


def next_look(
    world: World, memory: Memory, now: datetime, *, wrote: bool, opens: datetime | None = None
) -> float | None:
    """Seconds until the next look; `memory` is the status this plan leaves.

    `opens` is when a closed window or a hold ends that keeps a version from beginning.
    """
    left = None if opens is None else max((opens - now).total_seconds(), 0.0)
    if wrote or unsettled(world, memory, now):
        pause = _pause(world, memory, now)
        return pause if left is None else min(pause, left)
    until = parked_until(memory.candidate)
    return max((until - now).total_seconds(), FAST_LOOK_SECONDS) if until else left


def _is_held_up(world: World) -> bool:
    """Requests wait in the lobby: each look that is late keeps them longer."""
    return world.traffic is not None and world.traffic.route is Route.LOBBY


def _pause(world: World, memory: Memory, now: datetime) -> float:
    if _is_held_up(world):
        return HELD_UP_LOOK_SECONDS
    if memory.candidate:
        since = parse_time(memory.candidate["since"])
    elif world.traffic:
        since = world.traffic.since
    else:
        since = now
    pause = FAST_LOOK_SECONDS if now - since < SLOW_LOOKS_AFTER else SLOW_LOOK_SECONDS
    judged = _is_judged(world, memory, now)
    full = world.active is not None and world.active.ready == world.spec.replicas
    if _is_mirrored(world, memory) and full and world.idle.empty and not memory.candidate:
        pause = ALONE_LOOK_SECONDS
    if (judged and world.baking(now)) or world.on_both:
        pause = min(pause, ANSWERS_LOOK_SECONDS)
    elif judged and not memory.candidate:
        pause = max(pause, ALONE_LOOK_SECONDS)
    if world.traffic and (judged or world.baking(now)):
        left = (world.traffic.bakes_until(world.spec.bake) - now).total_seconds()
        return min(pause, max(left, 0.1))
    return pause


def _is_mirrored(world: World, memory: Memory) -> bool:
    """Whether pods are asked for what became of copies, or are to be told that there are none."""
    asked = world.spec.mirror is not None and world.traffic is not None
    return (asked and world.spec.replicas > 0) or bool(memory.mirror)


def _is_judged(world: World, memory: Memory, now: datetime) -> bool:
    """Whether how it answers is looked at: to the end of its bake, whatever is warm."""
    traffic = world.traffic
    if traffic is None or memory.answers.get("revision") != traffic.revision:
        return False
    return now < traffic.bakes_until(world.spec.bake)
