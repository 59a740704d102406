"""An operator that writes version tags of a registry in memory, step by step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from pennant_operator.act.write_back import WriteBack
from pennant_operator.decide.registry.notes import TaggedVersion
from pennant_operator.decide.registry.registries import RegistrySpec, parse_registry
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import fails
from pennant_testing.memory.written_tags import SimulatedPlaces, TagsInMemory

TAG = "pennant.eu-1.team.rec"
DECISION = f"{TAG}.decision"


def spec(cluster: str | None = "eu-1", **fields: object) -> RegistrySpec:
    write_back = {"writeBack": {"cluster": cluster}} if cluster else {}
    named = {"url": "http://mlflow.example", **write_back, **fields}
    return parse_registry({"metadata": {"name": "default"}, "spec": named})


def registry(*numbers: int) -> TagsInMemory:
    """Model news with these versions."""
    return TagsInMemory({"news": {str(n): TaggedVersion(1000 + n, {}) for n in numbers}})


def rejected() -> Simulation:
    """Version 7 serves, and 8 was rejected."""
    sim = alias_moved(8, fails("LoadFailed"))
    sim.run(8)
    return sim


def run(
    places: SimulatedPlaces,
    tags: TagsInMemory,
    *steps: Callable[[WriteBack], object],
    of: RegistrySpec | None = None,
    recorded: tuple[str, ...] = (),
) -> WriteBack:
    """An operator from its start on, with a minute after each step."""
    part = WriteBack(places.dependencies, of or spec(), recorded, tags.open)

    async def scenario() -> None:
        async def report() -> None:
            assert part.health is None or part.unwritten >= 0

        running = asyncio.create_task(part.run(report))
        for step in (lambda _: None, *steps):
            step(part)
            await asyncio.wait([running], timeout=60)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    at_once(scenario())
    return part


def looking(seen: list[tuple[str | None, int]]) -> Callable[[WriteBack], None]:
    """Notes trouble, and of how many the tags are not right; then one may be another."""

    def look(part: WriteBack) -> None:
        assert part.health is not None
        seen.append((part.health.trouble, part.unwritten))
        part.look(("team", "rec"))

    return look


def words(tags: TagsInMemory) -> dict[str, str]:
    """By version, by the first words of our tag."""
    return {name.removeprefix("news/"): of[TAG].split(" ")[0] for name, of in tags.tags().items()}
