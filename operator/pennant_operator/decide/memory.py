"""What earlier plans wrote into `status` and later ones read: the operator's only memory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.observed import Desired, ModelVersion, Unknown, Unresolved
from pennant_operator.decide.times import format_time, parse_time

KEPT = 10  # entries of `rejected` and of `history`


@dataclass(frozen=True)
class Memory:
    """`status` as the last plan left it."""

    status: dict[str, Any]

    @property
    def desired(self) -> dict[str, Any]:
        """`status.desired`, empty when nothing was desired yet."""
        return self.status.get("desired") or {}

    @property
    def candidate(self) -> dict[str, Any]:
        """`status.candidate`, empty when there is none."""
        return self.status.get("candidate") or {}

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """`status.rejected`, newest first."""
        return self.status.get("rejected") or []

    @property
    def history(self) -> list[dict[str, Any]]:
        """`status.history`, newest first."""
        return self.status.get("history") or []

    def said(self, kind: str) -> dict[str, Any]:
        """A condition as it was, empty when it was not there."""
        conditions = self.status.get("conditions") or []
        return next((c for c in conditions if c["type"] == kind), {})

    def served_last_time(self, revision: str) -> bool:
        """Whether the last that is told of a revision is that it had the traffic."""
        told = next((entry for entry in self.history if entry["revision"] == revision), {})
        return told.get("result") == "Serving"

    def rejection_told(self, rejected: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The rejection of what was last desired, while nobody says what is desired now."""
        version = self.desired.get("version")
        serving = self.status.get("serving") or {}
        if version in {None, serving.get("version"), self.candidate.get("version")}:
            return None
        return next((entry for entry in rejected if entry["version"] == version), None)


def version_of(desired: Desired) -> str | None:
    """The version that is desired, as far as anybody says."""
    return desired.version if isinstance(desired, ModelVersion | Unresolved) else None


def still_rejected(memory: Memory, desired: Desired) -> list[dict[str, Any]]:
    """The rejections in force: seeing another version as desired lifts those of a version (law 4).

    Only a version that was really desired in between counts; a removed alias is no other version.
    """
    before, wanted = memory.desired.get("version"), version_of(desired)
    if before is None or before == wanted or _says_nothing(desired):
        return memory.rejected
    if wanted is None:
        # `status.desired` goes: that `before` was desired after the others is told here only.
        return [entry for entry in memory.rejected if entry["version"] == before]
    return [entry for entry in memory.rejected if entry["version"] != wanted]


def desired_of(memory: Memory, desired: Desired, now: datetime) -> dict[str, Any] | None:
    """The next `status.desired`; a registry that does not answer changes nothing in it."""
    wanted = version_of(desired)
    if _says_nothing(desired):
        return memory.desired or None
    if wanted is None:
        return None
    if memory.desired.get("version") == wanted:
        return memory.desired
    return {"version": wanted, "since": format_time(now)}


def _says_nothing(desired: Desired) -> bool:
    """Nobody says what is desired, nor that nothing is."""
    return isinstance(desired, Unknown | Unresolved) and version_of(desired) is None


def parked_until(candidate: dict[str, Any]) -> datetime | None:
    """When a held candidate is tried again; None when it is not parked."""
    return parse_time(candidate["retryTime"]) if candidate.get("retryTime") else None
