"""Asks again what fails, once the registry has answered something since.

Trouble of a registry begins and ends at any moment, between two questions too. What fails again
after that is no trouble of the registry's.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.trouble import TooSlowError

T = TypeVar("T")


async def asked_twice(
    registry: Registry, ask: Callable[[], Awaitable[T]], failed: Exception
) -> T | Exception:
    """The answer, or the error that is not the registry's own, to what `failed` once.

    Raises RegistryTroubleError where it is.
    """
    await registry.ping()
    if isinstance(failed, TooSlowError):
        return failed  # it would take as long again
    return await error_or(ask)


async def error_or(ask: Callable[[], Awaitable[T]]) -> T | Exception:
    """What was answered, or raised."""
    try:
        return await ask()
    except Exception as error:  # noqa: BLE001 - whose it is, is found out
        return error
