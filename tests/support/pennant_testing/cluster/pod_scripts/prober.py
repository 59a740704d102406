"""Runs in a pod: asks each Service that standard input names, twice a second, and prints.

Input: `{"of": name, "host": ..., "path": ...}` to begin, `{"of": name}` to end. Output: one line
`[name, answered, version, seconds]` for each request, which has a connection of its own and does
not wait for the one before: one that gets no answer must not hide what others got meanwhile.

Nothing answers, that is, when nothing does: where one pod of two has just died, a Service goes on
sending it connections for a moment, and whoever is refused by chance asks again.
"""

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

from newsreco.loadgen_client import AnswerError, Connection, Target

INTERVAL_SECONDS = 0.5
CHANCES = 5  # connections, where each is refused at once: by the same dead pod of two in 3 % of all
ANSWER_SECONDS = 5.0  # seconds that an answer may take: a slow one on a busy machine is one, too


async def main() -> None:
    asked: dict[str, asyncio.Task[None]] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        of = order["of"]
        if of in asked:
            asked.pop(of).cancel()
        if "host" in order:
            asked[of] = asyncio.create_task(ask_on(order))


async def ask_on(order: dict[str, Any]) -> None:
    async with asyncio.TaskGroup() as under_way:
        while True:
            under_way.create_task(sample(order))
            await asyncio.sleep(INTERVAL_SECONDS)


async def sample(order: dict[str, Any]) -> None:
    begun = time.monotonic()
    status, version = await ask(order["host"], order["path"])
    seconds = round(time.monotonic() - begun, 3)
    print(json.dumps([order["of"], status == 200, version, seconds]), flush=True)


async def ask(host: str, path: str) -> tuple[int, str]:
    """Status and version of one answer; 0 when there is none."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            for _ in range(CHANCES):
                with contextlib.suppress(OSError, AnswerError):
                    return await ask_once(host, path)
    return 0, ""


async def ask_once(host: str, path: str) -> tuple[int, str]:
    connection = await Connection.open(Target(host, host, 80))
    try:
        answer = await connection.get(host, path)
    finally:
        connection.close()
    return answer.status, answer.headers.get("x-pennant-version", "")


if __name__ == "__main__":
    asyncio.run(main())
