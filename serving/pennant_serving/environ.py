"""Reading settings from environment variables, with errors that name the variable and its value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

TERMINATION_LOG = "PENNANT_TERMINATION_LOG"


class SettingsError(ValueError):
    """A variable is missing, or its value cannot be used."""


class Environ:
    """A view of the environment that answers typed values."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """The value, or `default`; an empty value counts as absent. Raises SettingsError."""
        value = self._variables.get(name) or default
        if value is None:
            raise SettingsError(f"{name} is not set")
        return value

    def optional(self, name: str) -> str | None:
        """The value, or None when absent or empty."""
        return self._variables.get(name) or None

    def secret(self, name: str) -> str | None:
        """As `optional`, without the line break that `echo` and editors leave at the end of a
        Secret's value."""
        return (self.optional(name) or "").rstrip("\r\n") or None

    def file(self, name: str) -> Path | None:
        """A file that is there and holds something; a variable may name one in any case."""
        path = Path(self.optional(name) or "")
        return path if path.is_file() and path.stat().st_size else None

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`. Raises SettingsError."""
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise SettingsError(f"{name}={value!r} is not a whole number from {low} to {high}")
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds above zero. Raises SettingsError."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise SettingsError(f"{name}={value!r} is not a number of seconds above zero")
        return number

    def number(self, name: str, default: float, *, high: float) -> float:
        """A decimal number from 0 to `high`. Raises SettingsError."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number <= high:
            raise SettingsError(f"{name}={value!r} is not a number from 0 to {high:g}")
        return number

    def ratio(self, name: str, default: float) -> float:
        """A share, from 0 to 1. Raises SettingsError."""
        try:
            return self.number(name, default, high=1)
        except SettingsError as error:
            raise SettingsError(f"{error}: set the share of requests, such as 0.01") from None

    def names(self, name: str) -> tuple[str, ...]:
        """Names that are separated by commas, without those that are empty."""
        parts = (part.strip() for part in (self.optional(name) or "").split(","))
        return tuple(part for part in parts if part)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of `choices`. Raises SettingsError."""
        value = self.text(name, default)
        if value not in choices:
            raise SettingsError(f"{name}={value!r} is none of {', '.join(choices)}")
        return value


def http_address(name: str, value: str) -> str:
    """The value of a variable as an address, without a slash at its end. Raises SettingsError,
    which shows no credentials."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SettingsError(
            f"{name}={parts.scheme}://{parts.hostname}... is not an http or https address without"
            " credentials in it"
        )
    return value.rstrip("/")


def termination_log(variables: Mapping[str, str]) -> Path:
    """Where the kubelet reads the termination message; known even when other settings are bad."""
    return Path(variables.get(TERMINATION_LOG) or "/dev/termination-log")
