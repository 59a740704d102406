"""A rehearsal once a pod: the first worker has it, the others wait for what it came to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.board import Place
from pennant_serving.lifecycle.rehearsed import Rehearsed
from pennant_serving.model.model import Model
from pennant_serving.rehearsal.rehearse import rehearse
from pennant_serving.settings import Settings

POLL_SECONDS = 0.02
FIRST_WORKER = 0
"""The number of the worker that rehearses."""


async def rehearsed_once(
    settings: Settings, model: Model, own: AdapterRoutes, place: Place | None
) -> Rehearsed:
    """What the pod's rehearsal came to; a worker that replaces another has none of its own. Raises
    PodError, which ends all workers."""
    if place is None:
        return await rehearse(settings, model, own)
    path = place.counts.parent / "rehearsed"
    if place.number == FIRST_WORKER and not path.exists():
        _write(path, await rehearse(settings, model, own))
    while not path.exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(POLL_SECONDS)
    return msgspec.json.decode(path.read_bytes(), type=Rehearsed)


def _write(path: Path, result: Rehearsed) -> None:
    """Counts only, whole at once."""
    half = path.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(result))
    half.rename(path)
