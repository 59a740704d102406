"""Metrics of several processes: each leaves its counts in a folder, and any of them can add up.

A process that ended leaves its counts behind, because what was counted must not become uncounted.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pennant_serving.histograms import Family, Histograms, summed

SECONDS = 1.0
"""Between two writings. A scrape sees its own process as it is, the others as they were then."""
RETIRED = "retired"


async def publish(histograms: Histograms, folder: Path) -> None:
    """Keep this process's counts in the folder up to date, until cancelled."""
    while True:
        _write(folder / str(os.getpid()), histograms.snapshot())
        await asyncio.sleep(SECONDS)


def others(folder: Path) -> list[Any]:
    """What the other processes have left."""
    own = str(os.getpid())
    return [_read(path) for path in folder.iterdir() if path.name != own and not path.suffix]


def retire(folder: Path, process: int, families: Iterable[Family]) -> None:
    """Add the counts of a process that has ended to those of its predecessors."""
    retired, ended = folder / RETIRED, folder / str(process)
    _write(retired, summed(families, _read(retired), _read(ended)).snapshot())
    ended.unlink(missing_ok=True)


def _read(path: Path) -> list[Any]:
    try:
        return list(json.loads(path.read_bytes()))
    except FileNotFoundError:  # it retired just now, or never wrote
        return []


def _write(path: Path, snapshot: list[Any]) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(snapshot))
    unfinished.replace(path)
