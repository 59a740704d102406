"""Runs recorded inputs through the `plan` of the installed version."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pennant_cli.decisions.differences import FieldDifference, differences
from pennant_cli.decisions.log_lines import LogLine
from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.plan import plan
from pennant_operator.decide.record.codec import encode
from pennant_operator.decide.record.inputs import (
    INPUT_EVENT,
    RecordedInput,
    UnreadableInputError,
    plan_text,
    recorded_input,
    text_digest,
)
from pennant_operator.decide.times import format_time

FIELDS_SHOWN = 12  # of one decision, in text
PLANS_BETWEEN_COLLECTIONS = 500  # of what refers to itself; each plan leaves little of it


@dataclass(frozen=True)
class OtherDecision:
    """One that the installed version would not make as it was made."""

    place: str
    object: str  # namespace/name
    time: str
    fields: list[FieldDifference]

    @property
    def text(self) -> str:
        """As people read it."""
        lines = [f"{self.object} at {self.time} ({self.place}):"]
        lines += [f"  {each.sentence}" for each in self.fields[:FIELDS_SHOWN]]
        more = len(self.fields) - FIELDS_SHOWN
        return "\n".join([*lines, *([f"  and {more} more fields"] if more > 0 else [])])


@dataclass
class Replay:
    """What came of all of them."""

    same: int = 0
    others: list[OtherDecision] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)  # place, why

    @property
    def text(self) -> str:
        """For people."""
        total = self.same + len(self.others) + len(self.unreadable)
        last = f"{total} decisions: {self.same} the same, {len(self.others)} different"
        if self.unreadable:
            last += f", {len(self.unreadable)} not decided anew"
        unread = [f"{place}: {why}" for place, why in self.unreadable]
        return "\n".join([*(each.text for each in self.others), *unread, last])

    @property
    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "same": self.same,
            "different": [
                {
                    "place": each.place,
                    "object": each.object,
                    "time": each.time,
                    "fields": [vars(one) for one in each.fields],
                }
                for each in self.others
            ],
            "unreadable": [{"place": place, "why": why} for place, why in self.unreadable],
        }


def replay(lines: Iterable[LogLine]) -> Replay:
    """Decide each recorded input anew; decisions without one are passed over.

    Raises CommandError where there is none.
    """
    report = Replay()
    inputs = (line for line in lines if line.value["event"] == INPUT_EVENT)
    gc.disable()
    try:
        for number, line in enumerate(inputs):
            _replay_one(line, report)
            if not number % PLANS_BETWEEN_COLLECTIONS:
                gc.collect()
    finally:
        gc.enable()
    if report == Replay():
        raise CommandError(
            "there is no recorded input in these files: run the operator with "
            "PENNANT_DECISIONS=full, and give its standard output"
        )
    return report


def _replay_one(line: LogLine, report: Replay) -> None:
    try:
        recorded = recorded_input(line.value)
    except UnreadableInputError as error:
        report.unreadable.append((line.place, str(error)))
        return
    changed = _decided_otherwise(recorded)
    if not changed:
        report.same += 1
        return
    meta = recorded.observed.owner["metadata"]
    name = f"{meta['namespace']}/{meta['name']}"
    report.others.append(OtherDecision(line.place, name, format_time(recorded.now), changed))


def _decided_otherwise(recorded: RecordedInput) -> list[FieldDifference]:
    try:
        decided = plan(recorded.observed, recorded.now)
    except Exception as error:  # noqa: BLE001 - that it fails on this is what is asked for
        return [FieldDifference("plan", "a decision", f"a failure: {error!r}")]
    if text_digest(plan_text(decided)) == recorded.plan_digest:
        return []
    return differences(recorded.decided, encode(decided))
