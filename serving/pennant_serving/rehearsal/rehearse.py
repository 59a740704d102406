"""A rehearsal from the question to the verdict, within a bound of time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace

from starlette.applications import Starlette

from pennant_serving.batching.pool import Pool
from pennant_serving.failures import PodError, Reason
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.rehearsed import Rehearsed
from pennant_serving.model.model import Model
from pennant_serving.recent.sample import Sample
from pennant_serving.rehearsal import judging, report
from pennant_serving.rehearsal.answers import Outputs, Shapes, are_equal, outputs_in
from pennant_serving.rehearsal.asking import ASK_SECONDS, Gathered, NoSamplesError, ask
from pennant_serving.rehearsal.judging import Allowed, Counts, Played
from pennant_serving.rehearsal.playing import Answer, create_stage, play
from pennant_serving.settings import Settings

REHEARSAL_SECONDS = 2.7
"""For all of it, but for first answers: what has not been played by then is not."""
FIRST_SECONDS = 20.0
"""Beside that, for the first answers of all routes together: a model that gave no example compiles,
imports or connects in its first."""
HANGING_SECONDS = 1.0
HANGING_RATIO = 10.0
"""An answer that is outstanding at the end counts as none when it has been for so long, and so many
times as long as before."""


async def rehearse(settings: Settings, model: Model, own: AdapterRoutes) -> Rehearsed:
    """What it came to. Raises PodError when this version must not get traffic."""
    began = time.monotonic()
    if settings.had_traffic:
        return report.had_traffic()
    try:
        given = await _asked(settings)
    except NoSamplesError as reason:
        return report.no_samples(reason)
    if given.revision and given.revision == settings.revision:
        return report.same_revision()
    rehearsal = _Rehearsal(settings, model, own, given.samples, began + REHEARSAL_SECONDS)
    counts = await rehearsal.counts()
    versions = settings.version, given.version
    if problem := judging.problem(counts, rehearsal.allowed, versions):
        # It has no cause, which would be printed: what a model says may repeat what was asked.
        raise PodError(Reason.REHEARSAL_FAILED, problem)
    return report.of_counts(counts, given, time.monotonic() - began)


async def _asked(settings: Settings) -> Gathered:
    if not settings.rehearsal_token:
        raise NoSamplesError(report.NO_TOKEN)
    asking = Pool(1, "ask").start(ask, settings)
    try:
        async with asyncio.timeout(2 * ASK_SECONDS):
            return await asking
    except TimeoutError:  # where looking up the name takes long
        raise NoSamplesError(report.late(settings.rehearsal_address)) from None


class _Rehearsal:
    """One version and the samples that it is played."""

    def __init__(
        self,
        settings: Settings,
        model: Model,
        own: AdapterRoutes,
        samples: Sequence[Sample],
        deadline: float,
    ) -> None:
        self._settings = settings
        self._model = model
        self._app: Starlette = create_stage(settings, model, own)
        self._deadline = deadline
        self._first_seconds = FIRST_SECONDS
        self._warm: set[str] = set()
        # One that takes longer than all of it would keep the others from being played.
        self._samples = [each for each in samples if each.seconds < REHEARSAL_SECONDS]
        # One after the other: what is read takes several times the memory of its bytes.
        self._shapes = Shapes.of((each, given) for each in samples if (given := _given(each)))
        self.allowed = Allowed(
            settings.rehearsal_errors, settings.rehearsal_slower, settings.rehearsal_agreement
        )

    async def counts(self) -> Counts:
        """Of all that could be played in time; slow ones get a second chance, as a machine may have
        been busy with something else."""
        played = await self._round(self._samples)
        counts = judging.count(played)
        if not counts.failed and judging.is_slow(counts, self.allowed):
            self._deadline = time.monotonic() + REHEARSAL_SECONDS
            second = await self._round(self._samples[: len(played)])
            timed = judging.count([_timed(*both) for both in zip(played, second, strict=False)])
            if timed.ratio and not judging.is_slow(timed, self.allowed):
                before, now = timed.seconds_before, timed.seconds_now
                counts = replace(counts, seconds_before=before, seconds_now=now)
        return counts

    async def _round(self, samples: Sequence[Sample]) -> list[Played]:
        played: list[Played] = []
        for sample in samples:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            answer = await self._first_answer(sample, left)
            if answer is None:
                break
            played.append(self._compared(sample, answer))
        return played

    async def _first_answer(self, sample: Sample, left: float) -> Answer | None:
        """As `_answer`, where what a route's first takes is not taken from the others' time."""
        if sample.route in self._warm:
            return await self._answer(sample, left)
        self._warm.add(sample.route)
        began = time.monotonic()
        answer = await self._answer(sample, left + self._first_seconds)
        taken = min(time.monotonic() - began, self._first_seconds)
        self._first_seconds -= taken
        self._deadline += taken
        return answer

    async def _answer(self, sample: Sample, left: float) -> Answer | None:
        """None where there was not enough time for one."""
        task = asyncio.create_task(play(self._app, sample, self._model))
        await asyncio.wait((task,), timeout=left)
        if task.done():
            return task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        hangs = left >= max(HANGING_SECONDS, HANGING_RATIO * sample.seconds)
        return Answer(culprit=f"for {left:.1f} s") if hangs else None

    def _compared(self, sample: Sample, answer: Answer) -> Played:
        fault, equal = answer.fault, None
        before = None if fault else _given(sample)
        if before:
            now = outputs_in(sample.protocol, answer.body, answer.head_bytes)
            fault = "unreadable" if now is None else self._shapes.difference(sample, before, now)
            equal = now is not None and are_equal(before, now)
        alike = not answer.fault and answer.whole is sample.whole
        return Played(
            fault=f"{sample.route}: {fault}" if fault else "",
            equal=equal,
            seconds_before=sample.seconds,
            seconds_now=answer.seconds if alike else None,
            alone=sample.alone,
        )


def _given(sample: Sample) -> Outputs | None:
    """What it was answered with; None where that is not compared."""
    return outputs_in(sample.protocol, sample.answer, sample.answer_head_bytes)


def _timed(first: Played, second: Played) -> Played:
    """The first, with the time of the second."""
    return replace(first, seconds_now=second.seconds_now)
