"""A loaded model between the protocols and its adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pennant_serving.adapters.base import Adapter
from pennant_serving.batching.batcher import Batcher
from pennant_serving.bundle import Bundle
from pennant_serving.pool import Pool
from pennant_serving.rows import Rows


@dataclass(frozen=True)
class Model:
    """One version of one model, ready to be asked."""

    name: str
    version: str
    adapter_name: str
    adapter: Adapter
    bundle: Bundle
    pool: Pool

    batcher: Batcher

    async def predict(self, rows: Rows, protocol: str = "own") -> Any:
        """What the model says to these rows, one entry for each.

        Rows that wait at the same time are predicted together (`batching`), whichever protocol they
        came by. Raises InvalidInput when the rows do not fit the model, Unavailable when too many
        requests wait, TimedOut when the answer takes too long, PredictFailed when the model raises.
        """
        return await self.batcher.predict(rows, protocol)
