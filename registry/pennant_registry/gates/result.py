"""What is said of one gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Result(StrEnum):
    """Whether a gate lets a version through; Unknown does not."""

    PASSED = "Passed"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate, the value that it looked at and the bound that it was held against."""

    gate: str  # as in the YAML: metrics.auc.min, tags.approved, flavors, signature, closed
    result: Result
    value: str
    bound: str
    message: str = ""  # a part of a sentence, such as "metric auc is 0.7, and must be at least 0.8"
    until: datetime | None = None  # when the answer is another one by itself; None: never
