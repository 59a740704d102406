"""Runs what has no end side by side: all of it, or none.

A part that ends unasked would be missed by nobody, because nothing fails: it returns, or a
cancellation of something inside of it gets out, which a TaskGroup takes for its being asked to.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, NoReturn


class EndedError(Exception):
    """A part ended although nobody asked it to: a fault of the operator."""


async def all_or_none(parts: Mapping[str, Coroutine[Any, Any, object]]) -> NoReturn:
    """Run these, by name, until cancelled; as soon as one of them ends, end the others and raise.

    What a part raised is raised as it is, EndedError when it just ended.
    """
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    first = done.pop()
    message = f"{first.get_name()} ended, and nobody asked it to"
    try:
        first.result()
    except asyncio.CancelledError as error:
        raise EndedError(message) from error
    raise EndedError(message)
