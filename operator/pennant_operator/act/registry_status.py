"""Writes the status of a ModelRegistry: how its server, and its webhook, were found to be."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias

from pennant_operator.decide.registry.health import Health, registry_status
from pennant_operator.kube import ApiError, Object

LOG = logging.getLogger(__name__)

ApplyStatus: TypeAlias = Callable[[Object, dict[str, Any]], Awaitable[Object | None]]


class RegistryStatusWriter:
    """Through the one gate for writes (`Cluster.apply_status`), which writes what changed only."""

    def __init__(self, apply_status: ApplyStatus, now: Callable[[], datetime]) -> None:
        self._apply_status = apply_status
        self._now = now

    async def write(self, registry: Object, health: Health) -> Object | None:
        """The ModelRegistry as it is stored then; None where nothing was written.

        Raises nothing: what cannot be written now is written with the next poll.
        """
        name = registry["metadata"]["name"]
        try:
            return await self._apply_status(
                registry, registry_status(registry, health, self._now())
            )
        except ApiError as error:
            LOG.warning("status of ModelRegistry %s was not written: %s", name, error)
        except Exception:  # what is in one's status must not end what follows the others
            LOG.exception("status of ModelRegistry %s was not written", name)
        return None
