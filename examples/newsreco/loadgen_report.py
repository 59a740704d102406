"""What the log of a load generator says: pure arithmetic over its rows.

A log line is JSON, `{"rows": [[started, finished, kind, status, version, marker, error], ...]}`:
times in Unix seconds, `version` from the header `x-pennant-version`, `marker` from the body.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

FRESH = "fresh"
POOLED = "pooled"


class Row(NamedTuple):
    """One finished request."""

    started: float
    finished: float
    kind: str
    status: int
    version: str
    marker: str
    error: str

    @property
    def failed(self) -> bool:
        """Anything but a complete 200 that says which version answered."""
        return bool(self.error) or self.status != 200 or not self.version


class Move(NamedTuple):
    """The alias was set from one version to another at a time (Unix seconds)."""

    at: float
    old: str
    new: str


class Timing(NamedTuple):
    """Seconds from a move to the first answer of the new and the last of any other version."""

    first_new: float | None
    last_old: float | None


def format_line(rows: Iterable[Row]) -> str:
    """A log line; times to the millisecond."""
    cells = [[round(row.started, 3), round(row.finished, 3), *row[2:]] for row in rows]
    return json.dumps({"rows": cells}, separators=(",", ":"))


def parse_line(line: str) -> list[Row]:
    """The rows of a log line; none for a line that is not ours (a warning of a library)."""
    if not line.startswith('{"rows":'):
        return []
    return [Row(*cells) for cells in json.loads(line)["rows"]]


def between(rows: Iterable[Row], start: float, end: float) -> list[Row]:
    """Rows that finished in [start, end)."""
    return [row for row in rows if start <= row.finished < end]


def timing(rows: Iterable[Row], move: Move, kinds: Sequence[str] = (FRESH, POOLED)) -> Timing:
    """When the answers followed a move, over the rows up to the next move.

    None where no such answer was seen. What answered before need not be what the alias held
    before: that version may have been rejected.
    """
    after = [row for row in rows if row.finished >= move.at and row.kind in kinds]
    new = [row.finished for row in after if row.version == move.new]
    old = [row.finished for row in after if row.version not in ("", move.new)]
    return Timing(
        first_new=min(new) - move.at if new else None,
        last_old=max(old) - move.at if old else None,
    )


def failures(rows: Iterable[Row]) -> list[Row]:
    """The failed rows."""
    return [row for row in rows if row.failed]


def reasons(rows: Iterable[Row]) -> Counter[str]:
    """Why rows failed, counted."""
    return Counter(row.error or f"status {row.status}" for row in rows if row.failed)


def mismatches(rows: Iterable[Row], markers: Mapping[str, str]) -> list[Row]:
    """Answered rows whose body was not made by the version that their header names."""
    return [row for row in rows if not row.failed and row.marker != markers.get(row.version)]


def versions_in_order(rows: Iterable[Row]) -> list[str]:
    """The versions that answered, in the order of their first answers."""
    ordered = sorted(rows, key=lambda row: row.finished)
    return list(dict.fromkeys(row.version for row in ordered if not row.failed))
