"""What became of requests that a share took: in metrics, and in the report of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pennant_serving.metrics.histograms import PARTS, Family
from pennant_serving.metrics.last_answers import BOUNDS, OUTCOMES, SUCCEEDED, counts_of, median
from pennant_serving.metrics.telemetry import MODEL, SECONDS_BUCKETS, Telemetry
from pennant_serving.traffic.comparing import Comparison
from pennant_serving.traffic.shares import Shares

HANDED_OVER = Family(
    "pennant_handed_over_requests_total",
    "Requests of the candidate's share, by who answered: answered (it did) or fallen_back.",
    (*MODEL, "outcome"),
    (),
)
HANDED_OVER_SECONDS = Family(
    "pennant_handed_over_seconds",
    "Requests that the candidate answered, by how long that took from here.",
    MODEL,
    SECONDS_BUCKETS,
)
MIRRORED = Family(
    "pennant_mirrored_requests_total",
    "Copies for the challenger: agreed, differed, failed (no answer) or dropped (not sent).",
    (*MODEL, "outcome"),
    (),
)
MIRRORED_SECONDS = Family(
    "pennant_mirrored_seconds",
    "Requests that both answered, by how long each took.",
    (*MODEL, "by"),
    SECONDS_BUCKETS,
)
UNREADABLE = Family(
    "pennant_traffic_unreadable_total", "Contents of the traffic file that are none.", MODEL, ()
)
FAMILIES = (HANDED_OVER, HANDED_OVER_SECONDS, MIRRORED, MIRRORED_SECONDS, UNREADABLE)
AGREED, DIFFERED, FAILED, DROPPED = "agreed", "differed", "failed", "dropped"
OWN, THEIRS, DISTANCE = "own", "theirs", "distance"


class Tallies:
    """Of one process; its report is of all workers."""

    def __init__(self, telemetry: Telemetry, identity: tuple[str, str]) -> None:
        telemetry.add(FAMILIES, self.report)
        self._histograms = telemetry.histograms
        self._answers = telemetry.last_answers
        self._identity = identity
        self._revision = self._challenger = ""
        """Of the last shares that had one."""

    def begin(self, shares: Shares) -> None:
        """Count for these from now on; what is not the report's any more is forgotten."""
        if shares.hand_over is not None and shares.hand_over.revision != self._revision:
            self._answers.forget(_handed(self._revision, outcome) for outcome in OUTCOMES)
            self._revision = shares.hand_over.revision
        if shares.mirror is not None and str(shares.mirror.to) != self._challenger:
            self._answers.forget(_mirrored(self._challenger, what) for what in _MIRRORED)
            self._challenger = str(shares.mirror.to)

    def unreadable(self) -> None:
        """A content of the traffic file is none."""
        self._observe(UNREADABLE, 0)

    def handed_over(self, revision: str, outcome: str, seconds: float, *, answered: bool) -> None:
        """The candidate was asked; the outcome is the report's."""
        self._observe(HANDED_OVER, 0, "answered" if answered else "fallen_back")
        if answered:
            self._observe(HANDED_OVER_SECONDS, seconds)
        self._answers.series(_handed(revision, outcome)).observe(seconds)

    def compared(self, to: str, pair: Comparison, own: float, theirs: float) -> None:
        """A copy was answered, after so many seconds; so was the request."""
        self.copied(to, AGREED if pair.agrees else DIFFERED)
        for who, seconds in ((OWN, own), (THEIRS, theirs)):
            self._observe(MIRRORED_SECONDS, seconds, who)
            self._answers.series(_mirrored(to, who)).observe(seconds)
        if pair.distance is not None:
            distance = self._answers.series(_mirrored(to, DISTANCE))
            distance.counts[0] += round(pair.distance * PARTS)
            distance.counts[1] += 1

    def copied(self, to: str, outcome: str) -> None:
        """What became of a copy."""
        self._observe(MIRRORED, 0, outcome)
        self._answers.series(_mirrored(to, outcome)).observe(0)

    def report(self, counted: Mapping[str, list[int]]) -> dict[str, Any]:
        """What `/metrics/answers` has beside the pod's own answers; empty where there was none."""
        content: dict[str, Any] = {}
        handed = {each: counts_of(counted, _handed(self._revision, each)) for each in OUTCOMES}
        if any(map(sum, handed.values())):
            content["handedOver"] = {
                "revision": self._revision,
                "answers": {each: sum(counts) for each, counts in handed.items()},
                "durations": {"bounds": BOUNDS, "counts": handed[SUCCEEDED]},
            }
        copies = {each: counts_of(counted, _mirrored(self._challenger, each)) for each in _MIRRORED}
        if any(map(sum, copies.values())):
            content["mirror"] = {"to": self._challenger, **_pairs(copies)}
        return content

    def _observe(self, family: Family, value: float, *labels: str) -> None:
        self._histograms.series(family.name, *self._identity, *labels).observe(value)


_MIRRORED = (AGREED, DIFFERED, FAILED, DROPPED, OWN, THEIRS, DISTANCE)


def _handed(revision: str, outcome: str) -> str:
    return f"handed over/{revision}/{outcome}"


def _mirrored(to: str, what: str) -> str:
    return f"mirrored/{to}/{what}"


def _pairs(copies: Mapping[str, list[int]]) -> dict[str, Any]:
    agreed, differed, failed, dropped = (
        sum(copies[each]) for each in (AGREED, DIFFERED, FAILED, DROPPED)
    )
    total, number = copies[DISTANCE][:2]
    return {
        "compared": agreed + differed,
        "agreed": agreed,
        "failed": failed,
        "dropped": dropped,
        "distance": total / PARTS / number if number else None,
        "ownSeconds": median(copies[OWN]),
        "theirSeconds": median(copies[THEIRS]),
    }
