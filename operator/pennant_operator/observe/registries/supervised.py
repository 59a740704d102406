"""Keeps something going that has no end: what it raises is told, and it is begun again later.

One registry's answers may hold what nobody thought of. That must end neither what follows it nor
what follows the others.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn

from pennant_operator.backoff import Backoff

LOG = logging.getLogger(__name__)
# at most, until what follows a registry, and failed, is begun again; who ran longer begins at 1 s
RESTART_CAP_SECONDS = 60.0


async def supervised(
    what: str, run: Callable[[], Awaitable[None]], report: Callable[[str], Awaitable[None]]
) -> NoReturn:
    """Run it until cancelled; `report` a sentence each time that it ends in any other way."""
    loop, backoff = asyncio.get_running_loop(), Backoff(cap_seconds=RESTART_CAP_SECONDS)
    while True:
        began = loop.time()
        error = await _end_of(run)
        LOG.error("%s ended, and is begun again: %s", what, repr(error), exc_info=error)
        if loop.time() - began > RESTART_CAP_SECONDS:
            backoff.forget(what)
        sentence = (
            f"the operator fails on what it was answered ({error!r:.200}): see its log, and tell "
            "its developers; it tries again by itself."
        )
        failed = await _end_of(partial(report, sentence))
        if failed is not None:
            LOG.error("%s: its trouble was not told", what, exc_info=failed)
        await asyncio.sleep(backoff.next(what))


async def _end_of(run: Callable[[], Awaitable[None]]) -> Exception | None:
    """What it raised; None where it just ended. A cancellation that was asked for goes through."""
    try:
        await run()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Of something inside of it, whose end it did not expect.
        return RuntimeError(repr(error))
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    return None
