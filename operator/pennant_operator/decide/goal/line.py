"""The line of a registry's rollouts: only so many candidates come up at once, oldest move first.

What comes up, or waits for its pods, has a place; what is held or stalled has none, and whoever is
tried again waits for one like the others. Going back to what is still warm needs none.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.memory import Memory, parked_until
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.times import format_time


def waits_in_line(
    observed: Observed, world: World, memory: Memory, target: str, now: datetime
) -> bool:
    """Whether this revision needs a place, and none is free for it."""
    if observed.registry is None or not _needs_place(world, memory, target, now):
        return False
    turn = observed.turn
    return turn.others + turn.ahead >= observed.registry.max_rollouts


def _needs_place(world: World, memory: Memory, target: str, now: datetime) -> bool:
    traffic, idle, candidate = world.traffic, world.idle, memory.candidate
    if traffic is not None and traffic.revision == target:
        return False
    if idle.revision == target and idle.size:
        return False  # it comes up, or is still warm
    until = parked_until(candidate)
    if until is None:
        return not candidate  # else it has a place, or takes that of what it supersedes
    return candidate["revision"] != target or now >= until


def line_entry(observed: Observed, memory: Memory, revision: str, now: datetime) -> dict[str, Any]:
    """The next `status.line`. It is written once: places change with each rollout that ends."""
    before, candidate = memory.line, memory.candidate
    entry: dict[str, Any] = {
        "revision": revision,
        "since": before.get("since") or format_time(now),
        "ahead": before.get("ahead", observed.turn.ahead),
    }
    tried = next((e for e in (candidate, before) if e.get("revision") == revision), {})
    return entry | ({"attempts": tried["attempts"]} if tried.get("attempts") else {})
