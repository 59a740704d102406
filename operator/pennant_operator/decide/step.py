"""What every step of `plan` carries: what was seen, and what was decided so far."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.goal.goal import Goal
from pennant_operator.decide.seen.environment import (
    InstalledEnvironment,
    environment_from_lock,
    environment_from_pin,
    environment_key,
)
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.verdict import Verdict


@dataclass(frozen=True)
class Step:
    """One pass over a healthy spec: what was seen, and what was decided so far."""

    observed: Observed
    world: World
    memory: Memory
    goal: Goal
    rejected: list[dict[str, Any]]
    verdict: Verdict | None
    records: dict[str, Record]
    now: datetime

    def version_of(self, revision: str) -> str:
        """The version of a revision; also where somebody deleted its record."""
        if revision in self.records:
            return self.records[revision].version
        entries = (self.memory.status.get("serving") or {}, *self.memory.history)
        versions = (str(e["version"]) for e in entries if e.get("revision") == revision)
        return next(versions, "unknown")

    def image_of(self, revision: str) -> str | None:
        """What its pods run, as recorded; None where somebody deleted its record."""
        record = self.records.get(revision)
        image: str | None = record.container.get("image") if record else None
        return image

    def digest_of(self, revision: str) -> str | None:
        """The digest that its pods must have fetched: tagged when registered, else pinned."""
        record = self.records.get(revision)
        if record is not None and record.sha256 is not None:
            return record.sha256
        return self.pins.get(revision)

    def environment_of(self, revision: str) -> InstalledEnvironment | None:
        """What its pods must have installed: locked when registered, else pinned."""
        record = self.records.get(revision)
        if record is not None and record.installs and record.environment is not None:
            return environment_from_lock(record.environment)
        return environment_from_pin(self.pins.get(environment_key(revision)))

    @property
    def pins(self) -> dict[str, str]:
        """What was pinned when traffic moved, as it is there."""
        pins = self.observed.children.get(f"ConfigMap/{self.world.spec.name}-digests", {})
        return pins.get("data") or {}
