"""A loaded model between the protocols and its adapter."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pennant_serving.adapters.base import Adapter, Further
from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.pool import Pool, codec_pool
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.codecs.outputs import named
from pennant_serving.errors import InvalidInput
from pennant_serving.model.fitting import explained
from pennant_serving.rows import Prepared, Rows

LOST_AFTER_TIMEOUTS = 3
"""Time-outs. A model that takes a little too long under load may still come back before."""


@dataclass(frozen=True)
class Model:
    """One version of one model, ready to be asked."""

    name: str
    version: str
    adapter_name: str
    adapter: Adapter
    bundle: Bundle
    batcher: Batcher
    codecs: Pool = field(default_factory=codec_pool)
    """Threads for bodies and answers of many values."""
    answered: tuple[dict[str, Any], ...] = ()
    """What its input example was answered with: name, datatype and shape of each output."""

    @property
    def stuck(self) -> bool:
        """All threads of one kind are in what nobody waits for any more."""
        return self._stuck(self.batcher.limits.timeout)

    @property
    def lost(self) -> bool:
        """They have been for so long that only a new process will help."""
        return self._stuck(LOST_AFTER_TIMEOUTS * self.batcher.limits.timeout)

    def _stuck(self, seconds: float) -> bool:
        return self.batcher.stuck(seconds) or self.codecs.stuck(seconds)

    @cached_property
    def further(self) -> dict[str, Further]:
        """Outputs that a V2 request may name beside the usual ones."""
        return getattr(self.adapter, "further", {})

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that rows without names have by their place."""
        spec, mlmodel = self.batcher.array_spec, self.bundle.mlmodel
        return (spec.names if spec else ()) or (mlmodel.names if mlmodel else ())

    def unfit(self, error: InvalidInput, asked: Any, tensors: Sequence[str] = ()) -> InvalidInput:
        """The error, with what the model takes and what was asked where these differ."""
        return explained(error, getattr(self.adapter, "takes", None), asked, tensors)

    @cached_property
    def takes_params(self) -> bool:
        return "params" in inspect.signature(self.adapter.predict).parameters

    async def predict(
        self, rows: Rows | Prepared, protocol: str = "own", params: Mapping[str, Any] | None = None
    ) -> Any:
        """The model's answer to these rows, one entry for each.

        Rows that wait at the same time are predicted together (`batching`), whichever protocol they
        came by; those with params on their own. A model that knows no params goes without them, as
        with MLflow. Raises InvalidInput when the rows do not fit the model, Unavailable when too
        many requests wait, TimedOut when the answer takes too long, PredictFailed when the model
        raises.
        """
        if params is not None and self.takes_params:
            return await self.batcher.aside(self.adapter.predict, rows, dict(params))
        if params and hasattr(self.adapter, "check_params"):
            await self.batcher.aside(self.adapter.check_params, params)
        return await self.batcher.predict(rows, protocol)

    async def outputs(
        self,
        rows: Rows | Prepared,
        names: Sequence[str],
        protocol: str = "own",
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The prediction, and what else is wanted by name. Raises as `predict` does."""
        wanted = [name for name in names if name in self.further]
        if not wanted:
            return await self.predict(rows, protocol, params)
        further = [self.batcher.aside(self.further[name].answer, rows) for name in wanted]
        answers = dict(zip(wanted, await asyncio.gather(*further), strict=True))
        if len(wanted) == len(names):
            return answers
        return dict(named(await self.predict(rows, protocol, params))) | answers
