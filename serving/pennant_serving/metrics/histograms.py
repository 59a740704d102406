"""Histograms that cost a request a fraction of a microsecond and can be summed over processes.

The client library's own take a lock and look up labels at every observation, which is as much as
decoding a small request. These belong to the event loop's thread and need neither.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

Snapshot = list[Any]
"""The key, the counts and the total of each series, as JSON can hold them. A total is in
billionths: fractions may add up to a little less in another order, and a counter that goes down
looks as if it had begun anew."""
PARTS = 1_000_000_000


@dataclass(frozen=True)
class Family:
    """A metric: what it is called, what tells its series apart, and its buckets' upper bounds; a
    counter has none."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]


class Series:
    """One series of a family."""

    __slots__ = ("also", "bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.also: Series | None = None
        """Another series that each of its values counts in."""

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        if self.also is not None:
            self.also.observe(value)


def summed(*snapshots: Snapshot) -> Snapshot:
    """The counts of several processes as one; in whichever order, they are the same."""
    totals: dict[tuple[str, ...], tuple[list[int], int]] = {}
    for key, counts, total in chain.from_iterable(snapshots):
        others, more = totals.get(tuple(key), ([0] * len(counts), 0))
        added = [one + other for one, other in zip(counts, others, strict=True)]
        totals[tuple(key)] = added, total + more
    return [[[*key], counts, total] for key, (counts, total) in totals.items()]


def metrics(families: Iterable[Family], snapshot: Snapshot) -> Iterator[Metric]:
    """For prometheus_client."""
    for family in families:
        yield _histogram(family, snapshot) if family.bounds else _counter(family, snapshot)


def _histogram(family: Family, snapshot: Snapshot) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, (*family.bounds, float("inf")))]
    for (name, *labels), counts, total in snapshot:
        if name == family.name:
            buckets = zip(bounds, map(float, accumulate(counts)), strict=True)
            metric.add_metric(labels, list(buckets), total / PARTS)
    return metric


def _counter(family: Family, snapshot: Snapshot) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for (name, *labels), counts, _ in snapshot:
        if name == family.name:
            metric.add_metric(labels, float(sum(counts)))
    return metric


class Histograms:
    """The series of some families."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = {family.name: family for family in families}
        self._series: dict[tuple[str, ...], Series] = {}

    def add(self, families: Iterable[Family]) -> None:
        """Further ones."""
        self._families |= {family.name: family for family in families}

    def series(self, name: str, *labels: str) -> Series:
        """The series of a family with these labels, to be kept where it is needed often."""
        key = (name, *labels)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(self._families[name].bounds)
        return series

    def snapshot(self) -> Snapshot:
        """All counts."""
        return [
            [[*key], [*each.counts], round(each.total * PARTS)]
            for key, each in self._series.items()
        ]
