"""Reads pods' reports beside the work: whoever decides gets what came last, and waits for nobody.

A pod that cannot be reached costs its time-out, and must not cost a worker of the queue that.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp

from pennant_operator.decide.seen.answers import (
    AnswerCounts,
    ReportQuestion,
    Reports,
    UnreadableReportError,
    together,
)
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.reports.reading import new_session, read_report

LOG = logging.getLogger(__name__)
FRESH_SECONDS = 8.0  # for which what pods reported is decided from
REREAD_SECONDS = 0.9  # between two readings of the same pods
UNREAD_RETRY_SECONDS = 5.0  # until pods that could not be read are asked anew


@dataclass(frozen=True)
class _Reading:
    """What came back, and when, by the event loop's clock."""

    reports: Reports
    at: float


class PodReader:
    """Asks the pods of ModelDeployments whose versions bake; for use inside one event loop."""

    def __init__(self, enqueue: Callable[[Key], None]) -> None:
        """`enqueue` is called for a key whose question had no answer, when it has one."""
        self._enqueue = enqueue
        self._session: aiohttp.ClientSession | None = None
        self._readings: dict[Key, _Reading] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}

    def latest(self, key: Key, question: ReportQuestion) -> Reports | None:
        """What the pods reported lately; None: they are being asked, and the key comes again."""
        known, now = self._readings.get(key), asyncio.get_running_loop().time()
        age = None
        if known is not None and known.reports.about == question.about:
            age = now - known.at
        fresh = known is not None and age is not None and age < FRESH_SECONDS
        pause = REREAD_SECONDS if known and known.reports.read else UNREAD_RETRY_SECONDS
        if (age is None or age >= pause) and key not in self._asking:
            self._asking[key] = asyncio.create_task(self._ask(key, question, awaited=not fresh))
        return known.reports if known is not None and fresh else None

    def forget(self, key: Key) -> None:
        """Nobody asks about this ModelDeployment any more."""
        self._readings.pop(key, None)

    async def close(self) -> None:
        """End what is under way, and the connections."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _ask(self, key: Key, question: ReportQuestion, *, awaited: bool) -> None:
        try:
            reports = await self._reports(question)
            if question.beside is not None:
                reports = replace(reports, beside=await self._reports(question.beside))
        except Exception:  # one answer that nobody thought of
            LOG.exception("%s/%s: not asked how it answers: a fault in the operator", *key)
            reports = Reports(question.about, unread="a fault in the operator")
        finally:
            self._asking.pop(key, None)
        self._readings[key] = _Reading(reports, asyncio.get_running_loop().time())
        if awaited:
            self._enqueue(key)

    async def _reports(self, question: ReportQuestion) -> Reports:
        if self._session is None:
            self._session = new_session()
        session = self._session
        answers = await asyncio.gather(
            *(read_report(session, address, question) for address in question.addresses),
            return_exceptions=True,
        )
        read = [each for each in answers if isinstance(each, AnswerCounts)]
        others = [each for each in answers if isinstance(each, BaseException)]
        for error in others:
            if not isinstance(error, UnreadableReportError):
                raise error
        unread = str(others[0]) if others else ""
        with contextlib.suppress(UnreadableReportError):
            return Reports(question.about, together(read), len(read), unread)
        return Reports(question.about, unread=unread or "pods report in different ways")
