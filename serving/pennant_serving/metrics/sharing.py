"""Metrics of several processes: each leaves its counts in a file, and any of them can add up.

Whoever answers a scrape leaves its own counts first, so the next scrape, whoever answers that,
tells at least as much. A process that ended leaves its counts behind, because what was counted must
not become uncounted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from pennant_serving.metrics.histograms import Histograms, Snapshot, summed

PUBLISH_SECONDS = 1.0
"""Between two writings. A scrape sees the other processes as they were then."""
RETIRED = "retired"
REMEMBERED_FILES = 64
"""Files that have retired last: a scrape that is under way may have read them."""


async def publish(histograms: Histograms, path: Path) -> None:
    """Keep this process's counts there up to date, until cancelled, and once more then."""
    try:
        while True:
            leave_counts(histograms, path)
            await asyncio.sleep(PUBLISH_SECONDS)
    finally:
        leave_counts(histograms, path)


def leave_counts(histograms: Histograms, path: Path) -> None:
    """Write them for the others. On a full disk they know the last ones: no request need wait."""
    with contextlib.suppress(OSError):
        _write(path, histograms.snapshot())


def gathered(folder: Path) -> Snapshot:
    """What all processes have counted, also those that have ended. Nothing is missing or counted
    twice while one retires: its file is read first, and left out when it is in the sum, too."""
    left = {path.name: _read(path) for path in folder.iterdir() if path.name.isdigit()}
    retired = _retired(folder)
    for name in retired["files"]:
        left.pop(name, None)
    return summed(retired["counts"], *(counts for counts in left.values() if counts))


def retire(ended: Path) -> None:
    """Add the counts of a process that has ended to those of its predecessors; on a full disk they
    stay where they are, and count."""
    retired = _retired(ended.parent)
    counts = summed(retired["counts"], _read(ended) or [])
    files = [*retired["files"], ended.name][-REMEMBERED_FILES:]
    with contextlib.suppress(OSError):
        _write(ended.with_name(RETIRED), {"files": files, "counts": counts})
        ended.unlink(missing_ok=True)


def _retired(folder: Path) -> dict[str, Any]:
    return dict(_read(folder / RETIRED) or {"files": [], "counts": []})


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:  # it retired just now, or never wrote
        return None


def _write(path: Path, content: Any) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)
