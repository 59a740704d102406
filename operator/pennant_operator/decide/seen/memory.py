"""What earlier plans wrote into `status` and later ones read: the operator's only memory."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.actions import RolloutAction
from pennant_operator.decide.seen.observed import Absent, Desired, ModelVersion, Object, Unknown
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.times import format_time, parse_time

MAX_STATUS_ENTRIES = 10  # of `rejected` and of `history`


@dataclass(frozen=True)
class Memory:
    """`status` as the last plan left it."""

    status: dict[str, Any]
    generation: int = 0  # of the spec that is judged now

    @property
    def desired(self) -> dict[str, Any]:
        """`status.desired`, empty when nothing was desired yet."""
        return self.status.get("desired") or {}

    @property
    def alongside(self) -> dict[str, Any]:
        """`status.alongside`, empty while one slot has all the traffic."""
        return self.status.get("alongside") or {}

    @property
    def candidate(self) -> dict[str, Any]:
        """`status.candidate`, empty when there is none."""
        return self.status.get("candidate") or {}

    @property
    def serving(self) -> dict[str, Any]:
        """`status.serving`, empty when nothing has the traffic."""
        return self.status.get("serving") or {}

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """`status.rejected`, newest first."""
        return self.status.get("rejected") or []

    @property
    def history(self) -> list[dict[str, Any]]:
        """`status.history`, newest first."""
        return self.status.get("history") or []

    def approves(self, revision: str) -> bool:
        """Whether a person said that it passes its gates."""
        return bool((self.status.get("approved") or {}).get("revision") == revision)

    def untold_action(self, actions: Iterable[RolloutAction]) -> dict[str, Any] | None:
        """`status.action`, while the RolloutAction itself does not say what it came to."""
        entry: dict[str, Any] = self.status.get("action") or {}
        untold = {each.uid for each in actions if not each.finished}
        return entry if entry.get("uid") in untold else None

    @property
    def answers(self) -> dict[str, Any]:
        """`status.answers`, empty when no version is judged by its answers."""
        return self.status.get("answers") or {}

    @property
    def canary(self) -> dict[str, Any]:
        """`status.canary`, empty when no candidate has a share of the traffic."""
        return self.status.get("canary") or {}

    @property
    def mirror(self) -> dict[str, Any]:
        """`status.mirror`, empty when requests are copied to nobody."""
        return self.status.get("mirror") or {}

    @property
    def line(self) -> dict[str, Any]:
        """`status.line`, empty when it waits for no turn."""
        return self.status.get("line") or {}

    @property
    def before_brake(self) -> dict[str, Any]:
        """`status.beforeBrake`, empty when the alias is where it was."""
        return self.status.get("beforeBrake") or {}

    @property
    def same_spec(self) -> bool:
        """Whether the last plan judged the spec as it is now."""
        return bool(self.status.get("observedGeneration") == self.generation)

    @property
    def ever_resolved(self) -> bool:
        """Whether a version was ever found."""
        return bool(self.desired or self.serving)

    def condition(self, kind: str) -> dict[str, Any]:
        """A condition as it was, empty when it was not there."""
        conditions = self.status.get("conditions") or []
        return next((c for c in conditions if c["type"] == kind), {})

    def served_last(self, revision: str) -> bool:
        """Whether the last that is told of a revision is that it had the traffic."""
        newest = next((entry for entry in self.history if entry["revision"] == revision), {})
        return newest.get("result") == "Serving"

    def resolved_for(self, watch: Watch) -> bool:
        """Whether a version was last found for this question, and not for one of an earlier spec.

        Statuses of earlier operators do not say which it was: it was that of their generation.
        """
        if "resolved" not in self.status:
            return self.ever_resolved and self.same_spec
        return bool(self.status["resolved"] == resolved_entry(watch))

    def last_rejection(self, rejected: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The rejection of what was last desired, while nobody says what is desired now."""
        version = self.desired.get("version")
        if version in {None, self.serving.get("version"), self.candidate.get("version")}:
            return None
        return next((entry for entry in rejected if entry["version"] == version), None)


def memory_of(owner: Object) -> Memory:
    """What a ModelDeployment's status holds."""
    return Memory(owner.get("status") or {}, int(owner["metadata"].get("generation", 0)))


def desired_version(desired: Desired) -> str | None:
    """The version that is desired, as far as anybody says."""
    return None if isinstance(desired, Absent | Unknown) else desired.version


def still_rejected(memory: Memory, desired: Desired) -> list[dict[str, Any]]:
    """The rejections in force: seeing another version as desired lifts those of a version (law 4).

    Only a version that was really desired in between counts: a removed alias is no other version,
    and who pins one says nothing of what the alias pointed at.
    """
    before, version = memory.desired.get("version"), desired_version(desired)
    same = version in {before, memory.desired.get("followed")}
    if before is None or same or _says_nothing(desired):
        return memory.rejected
    if version is None:
        # `status.desired` goes: that `before` was desired after the others is known here only.
        return [entry for entry in memory.rejected if entry["version"] == before]
    return [entry for entry in memory.rejected if entry["version"] != version]


def desired_of(
    memory: Memory, desired: Desired, now: datetime, *, pinned: bool
) -> dict[str, Any] | None:
    """The next `status.desired`; where no version is told, nor that there is none, as it was."""
    version, before = desired_version(desired), memory.desired
    if _says_nothing(desired):
        return before or None
    if version is None:
        return None
    same = before.get("version") == version
    entry = {"version": version, "since": before.get("since") if same else None}
    if pinned:  # by a RolloutAction
        entry["followed"] = before.get("followed") or (None if same else before.get("version"))
    entry["since"] = entry["since"] or format_time(now)
    return {name: value for name, value in entry.items() if value is not None}


def approved_of(memory: Memory, desired: Desired) -> dict[str, Any] | None:
    """The next `status.approved`: it lasts while its version is desired."""
    approved: dict[str, Any] = memory.status.get("approved") or {}
    stays = _says_nothing(desired) or approved.get("version") == desired_version(desired)
    return approved if approved and stays else None


def _says_nothing(desired: Desired) -> bool:
    """Nobody says what is desired, nor that nothing is."""
    return not isinstance(desired, Absent) and desired_version(desired) is None


def resolved_entry(watch: Watch) -> dict[str, str]:
    """As `status.resolved` has it."""
    fields = asdict(watch)
    del fields["pinned_by"]  # is no part of the question
    return {field: value for field, value in fields.items() if value is not None}


def resolved_of(memory: Memory, desired: Desired, watch: Watch) -> dict[str, str] | None:
    """The next `status.resolved`: for which question a version was last found."""
    if isinstance(desired, ModelVersion) or memory.resolved_for(watch):
        return resolved_entry(watch)
    # Empty: none was, though one is desired; or a status of an earlier operator does not say, and
    # the spec has changed since.
    known = memory.ever_resolved or desired_version(desired) is not None
    return memory.status.get("resolved", {} if known else None)


def parked_until(candidate: dict[str, Any]) -> datetime | None:
    """When a held candidate is tried again; None when it is not parked."""
    return parse_time(candidate["retryTime"]) if candidate.get("retryTime") else None
