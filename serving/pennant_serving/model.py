"""A loaded model between the protocols and its adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pennant_serving.adapters.base import Adapter
from pennant_serving.bundle import Bundle
from pennant_serving.errors import InvalidInput, PredictFailed, ServingError
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

    async def predict(self, rows: Rows) -> Any:
        """What the model says to these rows, one entry for each.

        Raises InvalidInput when the rows do not fit the model, Unavailable when too many calls
        wait, PredictFailed when the model itself raises.
        """
        try:
            return await self.pool.run(self.adapter.predict, rows)
        except ServingError:
            raise
        except ValueError as error:  # how an adapter, which knows no class of ours, says bad input
            raise InvalidInput(str(error)) from error
        except Exception as error:
            message = f"the model raised {type(error).__name__}: {error}"
            raise PredictFailed(message) from error
