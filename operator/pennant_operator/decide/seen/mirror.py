"""spec.mirror: to which other ModelDeployment requests are copied; and what pods tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_COUNT = 2**53  # of anything in a report: more is no count


@dataclass(frozen=True)
class Mirror:
    """A share of the requests that another one of the namespace gets as copies."""

    to: str  # its name
    percent: str  # a decimal, as it was written

    def address(self, namespace: str) -> str:
        """Where it answers, as pods are told and tell."""
        return f"{self.to}.{namespace}.svc:80"


@dataclass(frozen=True)
class Mirrored:
    """What became of copies, by one pod or by several."""

    to: str  # host:port
    compared: int  # that both answered
    agreed: int  # of these
    failed: int
    dropped: int  # there was no room to send them from
    distance: float | None = None  # mean
    own_seconds: float | None = None  # median; of several pods the mean of theirs
    their_seconds: float | None = None


def parse_mirror(
    written: Mapping[str, str] | None, *, name: str, custom: bool = False
) -> Mirror | None:
    """Of `spec.mirror`; raises ValueError with the field, below spec, and what to do."""
    if not written:
        return None
    if lacking := {"to", "percent"} - written.keys():
        raise ValueError(f"mirror.{max(lacking)} is missing: write it, or take spec.mirror out")
    if custom:
        raise ValueError("mirror: a server of mode Custom copies no requests: take it out")
    if written["to"] == name:
        raise ValueError(
            f"mirror.to: {name!r} is this ModelDeployment itself: name the one that is to get the "
            "copies"
        )
    return Mirror(written["to"], written["percent"])


def mirrored_of(report: Any) -> Mirrored | None:
    """Of a report's `mirror`; None where it is none."""
    if not isinstance(report, dict) or not isinstance(report.get("to"), str):
        return None
    counts = [report.get(name) for name in ("compared", "agreed", "failed", "dropped")]
    known = [each for each in counts if type(each) is int and 0 <= each <= MAX_COUNT]
    if len(known) < len(counts):
        return None
    compared, agreed, failed, dropped = known
    means = (_number(report.get(name)) for name in ("distance", "ownSeconds", "theirSeconds"))
    return Mirrored(report["to"], compared, agreed, failed, dropped, *means)


def mirrored_together(parts: list[Mirrored]) -> Mirrored | None:
    """Of several pods, those that copy to the same; None of none."""
    if not parts:
        return None
    same = [each for each in parts if each.to == parts[0].to]
    return Mirrored(
        parts[0].to,
        sum(each.compared for each in same),
        sum(each.agreed for each in same),
        sum(each.failed for each in same),
        sum(each.dropped for each in same),
        _mean([(each.distance, each.compared) for each in same]),
        _mean([(each.own_seconds, each.compared) for each in same]),
        _mean([(each.their_seconds, each.compared) for each in same]),
    )


def _mean(weighted: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in weighted if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _number(value: Any) -> float | None:
    known = type(value) in {int, float} and 0 <= value <= MAX_COUNT
    return float(value) if known else None
