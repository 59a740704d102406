"""What one notifier is to be sent: one message at a time, oldest first, until it was taken."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from pennant_operator.backoff import Backoff
from pennant_operator.decide.notify.receipts import Receipt, SendOutcome
from pennant_operator.observe.cluster.store import Key

LOG = logging.getLogger(__name__)
# failures in a row, without an answer that says why, before a notifier counts as not ready
FAILURES_UNTIL_SHOWN = 3
_OF_RECEIVER = (Receipt.REFUSED, Receipt.FAILED)  # only a message that it takes proves otherwise

Item: TypeAlias = tuple[Key, str]  # a ModelDeployment, and the id of one of its notifications
Report: TypeAlias = Callable[[], Awaitable[None]]


@dataclass
class Line:
    """Where messages wait for one notifier; its receiver holds up no other line."""

    registry: str
    notifier: str
    backoff: Backoff
    pending: OrderedDict[Item, None] = field(default_factory=OrderedDict)
    trouble: str | None = None  # None: nothing is known yet; empty: there is none
    last: Receipt | None = None  # of the last message that was sent, or could not be
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, item: Item) -> None:
        """It is to be sent."""
        self.pending[item] = None
        self.news.set()

    async def run(
        self, attempt: Callable[[Item | None], Awaitable[SendOutcome]], report: Report
    ) -> None:
        """Send until cancelled; `attempt` without an item sees whether anything could be sent."""
        works, self.last = False, None  # the notifier may be another by now
        while True:
            item = next(iter(self.pending), None)
            if item is None and works:
                self.news.clear()
                await self.news.wait()
                continue
            outcome = await attempt(item)
            works = outcome.receipt in (Receipt.DELIVERED, Receipt.UNTRIED)
            if works:
                self.backoff.forget(self.notifier)
            elif (
                item is not None and item in self.pending
            ):  # what is refused is not in the way of the others
                self.pending.move_to_end(item)
            pause = 0.0 if works else self.backoff.next(self.notifier)
            await self.show(self._trouble_of(outcome), report)
            self.last = self.last if outcome.receipt is Receipt.UNTRIED else outcome.receipt
            await asyncio.sleep(max(pause, outcome.pause_seconds))

    def _trouble_of(self, outcome: SendOutcome) -> str | None:
        """Who asks to wait has no trouble, and one answer that does not come is none yet."""
        passing = outcome.receipt is Receipt.FAILED
        few = self.backoff.failures(self.notifier) < FAILURES_UNTIL_SHOWN
        untried = outcome.receipt is Receipt.UNTRIED and self.last in _OF_RECEIVER
        if outcome.receipt is Receipt.LIMITED or untried or (passing and few):
            return self.trouble
        return outcome.trouble

    async def show(self, trouble: str | None, report: Report) -> None:
        """What is in the way of its messages, where that changed."""
        if trouble == self.trouble:
            return
        if trouble:
            LOG.warning("notifier %s of registry %s: %s", self.notifier, self.registry, trouble)
        self.trouble = trouble
        await report()
