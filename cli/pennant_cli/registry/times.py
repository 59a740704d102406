"""Times on the command line: moments as ISO 8601 has them, and durations such as 2h."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from typer import BadParameter

from pennant_registry.durations import parse_duration


def moment(text: str) -> datetime:
    """In the machine's time zone where it names none. Raises BadParameter."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadParameter(
            f"{text!r} is no time: write such as 2026-12-01T08:00Z, or 2026-12-01"
        ) from None


def until(text: str) -> datetime:
    """The same, or a duration from now on, such as 2h. Raises BadParameter."""
    try:
        return datetime.now(UTC) + parse_duration(text)
    except ValueError:
        return moment(text)


def duration(text: str) -> timedelta:
    """Such as 30s or 1h30m. Raises BadParameter."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise BadParameter(str(error)) from error
