"""Steady traffic on a served model, every request written down.

    python -m newsreco.loadgen --url http://news-recommender.newsreco.svc --rate 60 --seconds 600

Requests start at a steady rate whether or not earlier ones were answered; every other one opens a
connection of its own, the rest share a few keep-alive connections. Rows go to standard output
every 200 ms in the form of `loadgen_report`, so a reader can follow with `kubectl logs -f`.
With `--body` it sends that JSON by POST: `--path /invocations --marker predictions` shows answers.
It ends after `--seconds` or on SIGTERM, with status 0 whatever the answers were.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle

from newsreco.loadgen_client import Answer, AnswerError, Connection, Pool, Target
from newsreco.loadgen_report import FRESH, POOLED, Row, format_line

FLUSH_SECONDS = 0.2


@dataclass(frozen=True)
class Question:
    """What every request asks, but for its path."""

    body: bytes = b""
    """Sent by POST; empty means GET."""
    marker: str = "marker"
    """The field of an answer that tells who made it."""

    async def on(self, connection: Connection, host: str, path: str) -> Answer:
        """The answer to one request."""
        if self.body:
            return await connection.post(host, path, self.body)
        return await connection.get(host, path)

    def marker_of(self, body: bytes) -> str:
        """Empty when the answer has none."""
        answer = json.loads(body)
        return str(answer.get(self.marker, "")) if isinstance(answer, dict) else ""


@dataclass(frozen=True)
class Clock:
    """Unix time that never steps back: the wall clock is read once."""

    wall: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Unix seconds."""
        return self.wall + time.monotonic() - self.monotonic


class Load:
    """The running requests and the rows that were not printed yet."""

    def __init__(
        self, target: Target, question: Question, *, connections: int, timeout: float, most: int
    ) -> None:
        self._target = target
        self._question = question
        self._timeout = timeout
        self._most = most
        self._pool = Pool(target, connections)
        self._clock = Clock()
        self._rows: list[Row] = []
        self._running: set[asyncio.Task[None]] = set()

    def start(self, kind: str, path: str) -> None:
        """Begin one request. Too many unanswered ones are failures, not a reason to wait."""
        if len(self._running) >= self._most:
            now = self._clock.now()
            self._rows.append(Row(now, now, kind, 0, "", "", "too many requests unanswered"))
            return
        task = asyncio.create_task(self._request(kind, path))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def flush(self) -> None:
        """Print the finished rows as one line."""
        if self._rows:
            sys.stdout.write(format_line(self._rows) + "\n")
            sys.stdout.flush()
            self._rows.clear()

    async def finish(self) -> None:
        """Wait for what is running (each ends by its time-out) and print the rest."""
        await asyncio.gather(*self._running)
        self._pool.close()
        self.flush()

    async def _request(self, kind: str, path: str) -> None:
        started = self._clock.now()
        status, version, marker, error = 0, "", "", ""
        try:
            async with asyncio.timeout(self._timeout):
                answer = await (self._fresh(path) if kind == FRESH else self._pooled(path))
            status, version = answer.status, answer.headers.get("x-pennant-version", "")
            marker = self._question.marker_of(answer.body) if status == 200 else ""
        except TimeoutError:
            error = f"no answer in {self._timeout:g} s"
        except (OSError, AnswerError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        self._rows.append(Row(started, self._clock.now(), kind, status, version, marker, error))

    async def _fresh(self, path: str) -> Answer:
        connection = await Connection.open(self._target)
        with contextlib.closing(connection):
            return await self._question.on(connection, self._target.host, path)

    async def _pooled(self, path: str) -> Answer:
        connection = await self._pool.take()
        answer = None
        try:
            answer = await self._question.on(connection, self._target.host, path)
        finally:
            # A connection whose answer was not read to its end is never used again.
            self._pool.give_back(connection, closes=answer is None or answer.closes)
        return answer


async def run(load: Load, paths: Sequence[str], rate: float, seconds: float) -> None:
    """Start requests at `rate` a second for `seconds`, or until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    begun, flushed = loop.time(), loop.time()
    for due, kind, path in _schedule(begun, rate, seconds, paths):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0, due - loop.time()))
        if stop.is_set():
            break
        load.start(kind, path)
        if loop.time() - flushed >= FLUSH_SECONDS:
            load.flush()
            flushed = loop.time()
    await load.finish()


def _schedule(
    begun: float, rate: float, seconds: float, paths: Sequence[str]
) -> Iterator[tuple[float, str, str]]:
    kinds, turns = cycle((FRESH, POOLED)), cycle(paths)
    for number in count():
        if number >= rate * seconds:
            return
        yield begun + number / rate, next(kinds), next(turns)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="newsreco.loadgen", description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="http://host[:port] of the Service")
    parser.add_argument("--path", action="append", help="asked in turn; default /recommend/U106")
    parser.add_argument("--body", default="", help="JSON to send by POST instead of a GET")
    parser.add_argument("--marker", default="marker", help="the answer's field that is recorded")
    parser.add_argument("--rate", type=float, default=60, help="requests a second (at most 1000)")
    parser.add_argument("--seconds", type=float, default=600, help="at most 3600")
    parser.add_argument("--connections", type=int, default=6, help="keep-alive connections kept")
    parser.add_argument("--timeout", type=float, default=5, help="seconds for one request")
    parser.add_argument("--in-flight", type=int, default=500, help="requests at a time, at most")
    args = parser.parse_args(argv)
    if not (0 < args.rate <= 1000 and 0 < args.seconds <= 3600):
        parser.error("--rate must be in (0, 1000] and --seconds in (0, 3600]")
    question = Question(args.body.encode(), args.marker)
    target = Target.of(args.url)
    load = Load(
        target,
        question,
        connections=args.connections,
        timeout=args.timeout,
        most=args.in_flight,
    )
    asyncio.run(run(load, args.path or ["/recommend/U106"], args.rate, args.seconds))


if __name__ == "__main__":
    main()
