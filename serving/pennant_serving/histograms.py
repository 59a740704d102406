"""Histograms that cost a request a fraction of a microsecond and can be summed over processes.

The client library's own take a lock and look up labels at every observation, which is as much as
decoding a small request. These belong to the event loop's thread and need neither.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString


@dataclass(frozen=True)
class Family:
    """A metric: what it is called, what tells its series apart, and its buckets' upper bounds."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]


class Series:
    """One series of a family."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add(self, counts: Iterable[int], total: float) -> None:
        """Count what another process has counted."""
        self.counts = [one + other for one, other in zip(self.counts, counts, strict=True)]
        self.total += total


def summed(families: Iterable[Family], *snapshots: Iterable[Any]) -> Histograms:
    """The counts of several processes as one."""
    result = Histograms(families)
    for snapshot in snapshots:
        result.add(snapshot)
    return result


class Histograms:
    """The series of some families. What `snapshot` tells can be written as JSON."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = {family.name: family for family in families}
        self._series: dict[tuple[str, ...], Series] = {}

    def series(self, name: str, *labels: str) -> Series:
        """The series of a family with these labels, to be kept where it is needed often."""
        key = (name, *labels)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(self._families[name].bounds)
        return found

    def snapshot(self) -> list[Any]:
        """All counts."""
        return [[key, each.counts, each.total] for key, each in self._series.items()]

    def add(self, snapshot: Iterable[Any]) -> None:
        """Add the counts of another process."""
        for (name, *labels), counts, total in snapshot:
            self.series(name, *labels).add(counts, total)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """For prometheus_client."""
        for family in self._families.values():
            metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
            bounds = [*map(floatToGoString, (*family.bounds, float("inf")))]
            for (name, *labels), each in list(self._series.items()):
                if name == family.name:
                    buckets = zip(bounds, map(float, accumulate(each.counts)), strict=True)
                    metric.add_metric(labels, list(buckets), each.total)
            yield metric
