"""What was answered in the last minutes, second by second, by one process or by all workers.

Whoever rolls versions asks for it while a new one has the traffic (`/metrics/answers`): how many
predictions succeeded, were refused and failed, and how long those took that succeeded. The counts
are those of the histograms; once a second their growth is put aside, so a request pays for one more
count and no clock.

A span is named after its beginning, and a question gets the spans that began within its seconds:
no answer of an earlier time is ever among them, whatever kept the event loop from its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from pennant_serving.metrics.histograms import Family, Histograms, Series

SUCCEEDED, REFUSED, FAILED = "2xx", "4xx", "5xx"
OUTCOMES = (SUCCEEDED, REFUSED, FAILED)
BOUNDS = tuple(float(f"{0.0001 * 1.25**power:.4g}") for power in range(61))
"""Seconds, from 0.1 ms to a minute: a median that is read off them is off by an eighth at most."""
ANSWERS = Family("answers", "Predictions by what became of them.", ("outcome",), BOUNDS)
"""Beside the metrics, and not one of them."""
TICK_SECONDS = 1.0
"""Between two looks at the counts."""
REMEMBERED_SECONDS = 300
"""Of what was answered; a question for more gets these."""
SUFFIX = ".answers"
"""Of the file that a worker leaves beside its counts."""


class Span(NamedTuple):
    """What was answered from a moment, by the monotonic clock, to the next."""

    began: float
    counts: dict[str, dict[str, int]]
    """Outcome -> number of the bucket, as JSON has it, -> answers."""


class LastAnswers:
    """The last spans of one process; for use in its event loop."""

    def __init__(self, histograms: Histograms, clock: Callable[[], float] = time.monotonic) -> None:
        self._series = {outcome: histograms.series(ANSWERS.name, outcome) for outcome in OUTCOMES}
        self._seen = {outcome: [*each.counts] for outcome, each in self._series.items()}
        self._clock = clock
        self._began = clock()
        self._spans: deque[Span] = deque()
        self._shared: Path | None = None
        self._texts: deque[str] = deque()
        """The spans as the others read them."""

    def series(self, name: str) -> Series:
        """Another count beside the answers, made where it is not there."""
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = Series(BOUNDS)
            self._seen[name] = [*series.counts]
        return series

    def forget(self, names: Iterable[str]) -> None:
        """Count these no more; what was answered stays."""
        for name in names:
            self._series.pop(name, None)

    def share(self, path: Path) -> None:
        """Answer for all workers from now on; this one leaves its spans beside the counts here."""
        self._shared = path.with_suffix(SUFFIX)

    async def keep(self) -> None:
        """Put aside what was answered, until cancelled."""
        while True:
            self._look()
            await asyncio.sleep(TICK_SECONDS)

    def last(self, seconds: float) -> dict[str, list[int]]:
        """Answers of the last seconds: outcome -> count of each bucket, by all workers; other
        counts, too, where there are any."""
        self._look()
        spans: Iterable[Span] = self._spans
        if self._shared is not None:
            own = self._shared.name
            spans = (*spans, *_of_others(self._shared.parent, own))
        return summed(spans, self._clock() - seconds)

    def _look(self) -> None:
        now, counts = self._clock(), {}
        for outcome, series in self._series.items():
            before, self._seen[outcome] = self._seen[outcome], [*series.counts]
            grown = {
                str(bucket): more - less
                for bucket, (more, less) in enumerate(zip(series.counts, before, strict=True))
                if more > less
            }
            if grown:
                counts[outcome] = grown
        if counts:
            self._add(Span(round(self._began, 3), counts))
        self._began = now
        self._leave(now)

    def _add(self, span: Span) -> None:
        self._spans.append(span)
        if self._shared is not None:
            self._texts.append(json.dumps(span))

    def _leave(self, now: float) -> None:
        """Forget what is old, and tell the others the rest."""
        while self._spans and self._spans[0].began < now - REMEMBERED_SECONDS:
            self._spans.popleft()
            if self._texts:
                self._texts.popleft()
        if self._shared is not None:
            content = f"[{','.join(self._texts)}]"
            with contextlib.suppress(OSError):  # on a full disk they know the last ones
                unfinished = self._shared.with_suffix(".unfinished")
                unfinished.write_text(content)
                unfinished.replace(self._shared)


def summed(spans: Iterable[Span], since: float) -> dict[str, list[int]]:
    """The counts of the spans that began then or later."""
    totals = {outcome: [0] * (len(BOUNDS) + 1) for outcome in OUTCOMES}
    for span in spans:
        if span.began >= since:
            for outcome, buckets in span.counts.items():
                counts = totals.setdefault(outcome, [0] * (len(BOUNDS) + 1))
                for bucket, count in buckets.items():
                    counts[int(bucket)] += count
    return totals


def counts_of(counted: Mapping[str, list[int]], name: str) -> list[int]:
    """Of one series; nothing where it is not there."""
    return counted.get(name) or [0] * (len(BOUNDS) + 1)


def median(counts: Sequence[int]) -> float | None:
    """Seconds, as the buckets have it; None of nothing."""
    half = sum(counts) / 2
    below = zip(accumulate(counts), (0.0, *BOUNDS), (*BOUNDS, BOUNDS[-1]), strict=True)
    return next(((low + high) / 2 for sum_, low, high in below if half and sum_ >= half), None)


def report(
    model: str,
    version: str,
    seconds: float,
    answers: dict[str, list[int]],
    differences: str = "",
) -> dict[str, Any]:
    """As `/metrics/answers` tells it; `differences` are the environment's from the bundle's."""
    optional = {"differences": differences} if differences else {}
    return {
        "format": 1,
        "model": model,
        "version": version,
        "seconds": seconds,
        "answers": {outcome: sum(answers[outcome]) for outcome in OUTCOMES},
        "durations": {"bounds": BOUNDS, "counts": answers[SUCCEEDED]},
        **optional,
    }


def discard_old(folder: Path) -> None:
    """Delete what workers left that ended long ago. Others still count."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*{SUFFIX}"):
            if time.time() - path.stat().st_mtime > REMEMBERED_SECONDS:
                path.unlink(missing_ok=True)


def _of_others(folder: Path, own: str) -> Iterator[Span]:
    """Of the workers beside this one, also of those that have ended."""
    for path in folder.glob(f"*{SUFFIX}"):
        if path.name != own:
            with contextlib.suppress(FileNotFoundError):  # its worker ended long ago
                yield from (Span(*span) for span in json.loads(path.read_bytes()))
