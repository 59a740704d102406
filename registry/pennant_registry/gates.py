"""Checks before an alias moves. Pure: a gate reads a run's metrics and says why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricMin:
    """The metric `name` of the version's run must be at least `min`; NaN and absent are refused."""

    name: str
    min: float

    def refusal(self, metrics: Mapping[str, float]) -> str | None:
        """One sentence that names metric, value and bound, or None when the gate is passed."""
        if self.name not in metrics:
            known = ", ".join(sorted(metrics)) or "none"
            return (
                f"metric {self.name} is not in the version's run (its metrics: {known}), "
                f"and must be at least {self.min:g}"
            )
        value = metrics[self.name]
        if value >= self.min:
            return None
        return f"metric {self.name} is {value:g}, and must be at least {self.min:g}"


def refusals(gates: Iterable[MetricMin], metrics: Mapping[str, float]) -> list[str]:
    """What all the gates that refuse say, in their order; empty when the version may pass."""
    return [refusal for gate in gates if (refusal := gate.refusal(metrics)) is not None]
