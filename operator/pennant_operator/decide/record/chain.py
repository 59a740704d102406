"""Lines that are chained: each has its number, its process, and the sha256 of the one before.

The hash is of what a line says, not of its bytes: whoever collects logs may write its fields in
another order.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What is known of the last line of a process: its name, the line's number and hash.
HEAD = re.compile(r"([0-9a-f]{1,32})/([0-9]{1,18})/([0-9a-f]{64})")


def line_text(line: Mapping[str, Any]) -> str:
    """As it is printed: ASCII, whatever a model says."""
    return json.dumps(line, separators=(",", ":"))


def line_digest(line: Mapping[str, Any]) -> str:
    """sha256, hexadecimal."""
    text = json.dumps(line, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Chain:
    """The lines of one process of the operator."""

    process: str
    number: int = 0  # of the last line
    head: str | None = None  # its digest

    @property
    def title(self) -> str:
        """What the next process knows of it (HEAD)."""
        return f"{self.process}/{self.number}/{self.head}"

    def link(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """The line as the next one of the chain; `append` makes it that."""
        place = {"process": self.process, "line": self.number + 1, "before": self.head}
        return {**line, **place}

    def append(self, line: Mapping[str, Any]) -> None:
        """It was printed."""
        self.number, self.head = self.number + 1, line_digest(line)
