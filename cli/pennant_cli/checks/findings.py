"""What was looked at, and how it is: one line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pennant_cli.output import table
from pennant_registry.hold_form import one_line

LINE = 2000  # characters of a message


class Verdict(StrEnum):
    """Of one thing."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, how it is, and what to do about it."""

    what: str
    verdict: Verdict
    message: str
    remedy: str = ""


def plain(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """As data."""
    return [
        {
            "what": each.what,
            "result": each.verdict.value,
            "message": one_line(each.message, LINE),
            "remedy": each.remedy,
        }
        for each in findings
    ]


def drawn(findings: Sequence[Finding]) -> Any:
    """As a table, for `show`."""
    rows = [(each["result"], each["what"], _sentence(each)) for each in plain(findings)]
    return table(("RESULT", "WHAT", "MESSAGE"), rows)


def _sentence(each: dict[str, str]) -> str:
    return f"{each['message']}: {each['remedy']}" if each["remedy"] else each["message"]
