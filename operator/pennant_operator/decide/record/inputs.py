"""The whole input of one `plan`, as a line that it can be run from again."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.record.codec import UnknownValueError, decode, encode
from pennant_operator.decide.seen.observed import Observed

INPUT_EVENT = "decision-input"
INPUT_FORMAT = 1  # another one where a line of this one could not be read, or would mean another
MAX_INPUT_BYTES = 64 * 2**20  # of one input, unpacked: a log may hold anything


class UnreadableInputError(ValueError):
    """A line that holds no input that this version can run; says why."""


@dataclass(frozen=True)
class RecordedInput:
    """What `plan` was given, and what it made of it."""

    observed: Observed
    now: datetime
    plan_digest: str
    plan_text: str

    @property
    def decided(self) -> Any:
        """What it decided, as plain data."""
        return json.loads(self.plan_text)


def input_line(observed: Observed, now: datetime, decided: Plan) -> dict[str, Any]:
    """The second line of a decision."""
    text = plan_text(decided)
    given = _text({"observed": encode(observed), "now": encode(now)})
    packed = zlib.compress(f"{given}\n{text}".encode())
    return {
        "event": INPUT_EVENT,
        "format": INPUT_FORMAT,
        "plan": text_digest(text),
        "input": base64.b64encode(packed).decode(),
    }


def recorded_input(line: Mapping[str, Any]) -> RecordedInput:
    """The input in such a line; raises UnreadableInputError."""
    if line.get("format") != INPUT_FORMAT:
        raise UnreadableInputError(
            f"its format is {line.get('format')!r}, and this version reads {INPUT_FORMAT}"
        )
    try:
        given, text = _unpacked(line["input"]).split("\n")
        values = json.loads(given, object_hook=decode)
        observed, now = values["observed"], values["now"]
    except UnknownValueError as error:
        raise UnreadableInputError(f"it was written by another version: {error}") from error
    except (LookupError, TypeError, ValueError, RecursionError, zlib.error) as error:
        raise UnreadableInputError(f"it is damaged: {error}") from error
    if not isinstance(observed, Observed) or not isinstance(now, datetime):
        raise UnreadableInputError("it is damaged: it holds no input")
    if text_digest(text) != line.get("plan"):
        raise UnreadableInputError("it is damaged: its plan is not the one of its hash")
    return RecordedInput(observed, now, text_digest(text), text)


def plan_text(decided: Plan) -> str:
    """What was decided, the same text for the same plan."""
    return _text(encode(decided))


def text_digest(text: str) -> str:
    """sha256, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _unpacked(packed: str) -> str:
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(base64.b64decode(packed, validate=True), MAX_INPUT_BYTES)
    if not unpacking.eof:
        raise ValueError(f"it is cut off, or holds more than {MAX_INPUT_BYTES} bytes")
    return text.decode()
