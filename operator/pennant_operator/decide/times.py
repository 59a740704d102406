"""Kubernetes times as Python values; durations are `pennant_registry.durations`."""

from datetime import UTC, datetime

_EPOCH = datetime.fromtimestamp(0, UTC)


def parse_time(text: str) -> datetime:
    """An RFC 3339 time as the API server writes it; raises ValueError for anything else.

    No clock of a cluster wrote what is before 1970, and years beyond four digits cannot be told.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write for example 2026-11-21T12:00:00Z")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
    if moment < _EPOCH:
        raise ValueError(text)
    return moment


def format_time(moment: datetime) -> str:
    """Seconds resolution, as metav1.Time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """Microseconds resolution, as metav1.MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
