"""Runs in a pod: asks a Service for many predictions, and prints which version answered how often.

Arguments: host, how many requests, how many at a time, and `fresh` or `kept` connections. Output:
`{version: answers}`; what is no answer, or none of 200, counts as `failed`.
"""

import asyncio
import json
import sys
from collections import Counter

from newsreco.loadgen_client import AnswerError, Pool, Target

BODY = b'{"inputs": [[1.0, 2.0]]}'


async def main(host: str, requests: str, beside: str, connections: str) -> None:
    target, counts, left = Target.of(f"http://{host}"), Counter[str](), int(requests)
    pool = Pool(target, int(beside) if connections == "kept" else 0)

    async def ask_on() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            counts[await ask(pool, host)] += 1

    await asyncio.gather(*(ask_on() for _ in range(int(beside))))
    pool.close()
    print(json.dumps(counts))


async def ask(pool: Pool, host: str) -> str:
    connection = None
    try:
        connection = await pool.take()
        answer = await connection.post(host, "/invocations", BODY)
    except (OSError, AnswerError):
        if connection is not None:
            connection.close()
        return "failed"
    pool.give_back(connection, closes=answer.closes)
    return answer.headers.get("x-pennant-version", "") if answer.status == 200 else "failed"


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
