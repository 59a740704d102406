"""What a person reads in a status."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StatusText:
    """What a person reads in one situation."""

    summary: str
    conditions: dict[str, dict[str, Any]]

    @property
    def words(self) -> tuple[str, ...]:
        """All but the messages."""
        return (
            self.summary,
            *(f"{c['status']} {c['reason']}" for c in self.conditions.values()),
        )


def status_text(summary: str, conditions: list[dict[str, Any]]) -> StatusText:
    """Of a status' summary and its list of conditions."""
    return StatusText(summary, {c["type"]: c for c in conditions})
