"""Kubernetes times as Python values; durations are `pennant_registry.durations`."""

from datetime import UTC, datetime


def parse_time(text: str) -> datetime:
    """An RFC 3339 time as the API server writes it; raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write for example 2026-11-21T12:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # before the year 1, or after 9999
        raise ValueError(text) from error


def format_time(moment: datetime) -> str:
    """Seconds resolution, as metav1.Time."""
    # Not by strftime, which leaves zeros before a year out.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def format_micro_time(moment: datetime) -> str:
    """Microseconds resolution, as metav1.MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
