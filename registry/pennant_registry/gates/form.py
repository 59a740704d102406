"""What gates are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """How far a metric may be from the serving version's: an amount, or a share of it."""

    amount: Decimal
    relative: bool = False

    def of(self, base: Decimal) -> Decimal:
        """The amount, where the serving version's value is `base`."""
        return abs(base) * self.amount if self.relative else self.amount

    def __str__(self) -> str:
        return f"{number(self.amount * 100)}%" if self.relative else number(self.amount)


@dataclass(frozen=True, slots=True)
class MetricGate:
    """Bounds of one metric: absolute ones, and how far it may be from the serving version's."""

    name: str
    min: Decimal | None = None
    max: Decimal | None = None
    max_drop: Change | None = None
    max_rise: Change | None = None


@dataclass(frozen=True, slots=True)
class TagGate:
    """A tag of the version that must have this value; with None any that is not empty."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A time in which nothing new goes out: `duration` from each time that `cron` names."""

    cron: str  # five fields
    duration: timedelta
    time_zone: str = "UTC"  # of the IANA's list

    def __str__(self) -> str:
        hours = f"{number(Decimal(self.duration.total_seconds()) / 3600)}h"
        return f"cron '{self.cron}' for {hours}, {self.time_zone}"


@dataclass(frozen=True, slots=True)
class Gates:
    """All of them must be passed; without any, everything passes."""

    metrics: tuple[MetricGate, ...] = ()
    tags: tuple[TagGate, ...] = ()
    flavors: tuple[str, ...] = ()  # the version must have one of them; none: any will do
    compatible: bool = False  # the signature takes whatever the serving version's takes
    closed: tuple[Closed, ...] = ()

    @property
    def about_the_bundle(self) -> bool:
        """Whether they ask what only the bundle, or a tag of `register`, says."""
        return self.compatible or bool(self.flavors)

    @property
    def ask_the_registry(self) -> bool:
        """Whether they ask more than what time it is."""
        return bool(self.metrics or self.tags) or self.about_the_bundle

    @property
    def against_serving(self) -> bool:
        """Whether they ask how the serving version is."""
        return self.compatible or any(m.max_drop or m.max_rise for m in self.metrics)


NO_GATES = Gates()


@dataclass(frozen=True, slots=True)
class MetricMin:
    """Short for a metric that must be at least `min`."""

    name: str
    min: float

    def gate(self) -> MetricGate:
        """The same, written out."""
        return MetricGate(self.name, min=Decimal(repr(float(self.min))))


def number(value: Decimal) -> str:
    """As people write it: no exponent where it is not long, no zeros at its end.

    Ten digits, or what is a little too low would be said to be as high as it must be.
    """
    return f"{float(value):.10g}" if value.is_finite() else str(value)
