"""The operator's lines out of log files: as printed, with times before them, or in other JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import typer

from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.record.inputs import INPUT_EVENT
from pennant_operator.decide.record.line import DECISION_EVENT

_EVENTS = {DECISION_EVENT, INPUT_EVENT}
# A container runtime's own file: long lines are in parts, all but the last of which have a P.
_CRI = re.compile(r"\S+ (?:stdout|stderr) ([FP])(?::\S*)? (.*)", re.DOTALL)
_WRAPPED_IN = (
    "log",
    "message",
    "msg",
    "line",
    "body",
    "textPayload",
    "jsonPayload",
    "log_processed",
)


@dataclass(frozen=True)
class LogLine:
    """One line of the operator's."""

    file: str
    number: int  # in the file, from 1
    value: dict[str, Any]

    @property
    def place(self) -> str:
        """As people find it."""
        return f"{self.file}:{self.number}"


@dataclass
class LogReader:
    """Reads files one after the other, and counts what is none of the operator's."""

    files: list[str]
    skipped: int = field(default=0)

    def __iter__(self) -> Iterator[LogLine]:
        for name in self.files:
            if name == "-":
                yield from self._read("-", typer.get_text_stream("stdin", "utf-8", "replace"))
                continue
            try:
                with Path(name).open(encoding="utf-8", errors="replace") as lines:
                    yield from self._read(name, lines)
            except OSError as error:
                raise CommandError(f"{name} cannot be read: {error.strerror}") from error

    def _read(self, name: str, lines: TextIO | Iterable[str]) -> Iterator[LogLine]:
        begun = ""
        for number, text in enumerate(lines, 1):
            part = _CRI.match(text)
            if part is not None:
                text = begun + part[2].rstrip("\n")  # noqa: PLW2901
                begun = text if part[1] == "P" else ""
                if begun:
                    continue
            value = own_line(text)
            if value is not None:
                yield LogLine(name, number, value)
            elif text.strip():
                self.skipped += 1


def own_line(text: str) -> dict[str, Any] | None:
    """The operator's own object in a line of a log; None where it holds none."""
    if DECISION_EVENT not in text or "{" not in text:
        return None
    try:
        return _within(json.loads(text[text.index("{") :]))
    except (ValueError, RecursionError):
        return None


def _within(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        return own_line(value)
    if not isinstance(value, dict):
        return None
    event = value.get("event")
    if isinstance(event, str) and event in _EVENTS:
        return value
    within = (_within(value[name]) for name in _WRAPPED_IN if name in value)
    return next((each for each in within if each is not None), None)
