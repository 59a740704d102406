"""Sends what statuses hold for notifiers, and remembers what was sent until the status knows it.

The statuses are the queue: what is here is ids only, of at most ten entries each, and whoever is
started anew finds the rest there. Reconciling waits for nothing of this.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from pennant_operator.act.messages import Sender
from pennant_operator.backoff import Backoff
from pennant_operator.decide.notify.news import Entry, Status
from pennant_operator.decide.notify.notifiers import Notifier
from pennant_operator.decide.notify.outbox import Delivery, deliveries, is_late
from pennant_operator.decide.notify.receipts import Receipt, SendOutcome, unusable_address
from pennant_operator.decide.notify.sentences import values_of
from pennant_operator.decide.seen.sanitize import sanitized_status
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.run.notify.line import Item, Line, Report

GIVEN_UP = "given_up"  # result of a message that was sent to nobody


@dataclass(frozen=True)
class CourierDependencies:
    """What sending needs of the rest."""

    store: Store
    sender: Sender
    read_address: Callable[[Notifier], Awaitable[str]]  # RegistryTroubleError
    look_again: Callable[[Key], None]  # soon: what was sent is to be taken out of its status
    count: Callable[[str, str, str], None]  # registry, notifier, result
    fence: Callable[[], float]  # seconds that this process may write for; 0: another may lead
    now: Callable[[], datetime]
    random: Callable[[], float]


@dataclass
class Courier:
    """All notifiers of all ModelRegistries; for use inside one event loop."""

    dependencies: CourierDependencies
    _lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    _waiting: dict[Key, set[Delivery]] = field(default_factory=dict)
    _sent: dict[Key, set[Delivery]] = field(default_factory=dict)

    def sent(self, key: Key) -> frozenset[Delivery]:
        """What was sent, and is in the status of the ModelDeployment still."""
        return frozenset(self._sent.get(key, ()))

    def look(self, key: Key, status: Status | None, given_up: Iterable[Delivery] = ()) -> None:
        """The status of a ModelDeployment is this, and it is written."""
        for _, registry, notifier in given_up:
            self.dependencies.count(registry, notifier, GIVEN_UP)
        listed = deliveries(sanitized_status(status))
        now, before = set(listed), self._waiting.pop(key, set())
        for each in before - now:
            self._line(each).pending.pop((key, each[0]), None)
        sent = self._sent.pop(key, set()) & now
        for each in listed:
            if each not in before and each not in sent:
                self._line(each).add((key, each[0]))
        if now:
            self._waiting[key] = now
        if sent:
            self._sent[key] = sent

    def forget(self, key: Key) -> None:
        """The ModelDeployment is gone: nobody says what was to be sent of it."""
        self.look(key, {})

    def trouble(self, registry: str, notifier: str) -> str | None:
        """What is in the way of its messages; empty: nothing; None: nobody has tried yet."""
        line = self._lines.get((registry, notifier))
        return line.trouble if line is not None else None

    async def run(self, registry: str, notifier: Notifier, report: Report) -> None:
        """Send to one of them until cancelled; `report` when what is in the way changed."""
        line = self._line(("", registry, notifier.name))
        await line.run(partial(self._attempt, registry, notifier), report)

    async def fault(self, registry: str, notifier: Notifier, report: Report, trouble: str) -> None:
        """`run` raised, and is begun anew."""
        await self._line(("", registry, notifier.name)).show(trouble, report)

    def _line(self, delivery: Delivery) -> Line:
        _, registry, notifier = delivery
        at = (registry, notifier)
        if at not in self._lines:
            self._lines[at] = Line(registry, notifier, Backoff(self.dependencies.random))
        return self._lines[at]

    async def _attempt(self, registry: str, notifier: Notifier, item: Item | None) -> SendOutcome:
        """One message; without an item only whether there is an address to send to."""
        if self.dependencies.fence() <= 0:  # whoever leads sends it, and this one could not say so
            return SendOutcome(Receipt.LIMITED)
        entry = self._entry(item) if item is not None else None
        outcome = await self._send(notifier, item, entry)
        if item is None:
            return outcome
        key, delivery = item[0], (item[1], registry, notifier.name)
        if entry is None:  # where it comes back, the next look finds it new
            self._line(delivery).pending.pop(item, None)
            self._waiting.get(key, set()).discard(delivery)
            return outcome
        self.dependencies.count(registry, notifier.name, outcome.receipt)
        if outcome.receipt is Receipt.DELIVERED:
            self._line(delivery).pending.pop(item, None)
            self._sent.setdefault(key, set()).add(delivery)
        if outcome.receipt is Receipt.DELIVERED or is_late(entry, self.dependencies.now()):
            self.dependencies.look_again(key)
        return outcome

    async def _send(
        self, notifier: Notifier, item: Item | None, entry: Entry | None
    ) -> SendOutcome:
        if notifier.body is None:
            return SendOutcome(Receipt.UNUSABLE, notifier.fault)
        try:
            url = await self.dependencies.read_address(notifier)
        except RegistryTroubleError as error:
            return SendOutcome(Receipt.UNUSABLE, str(error))
        if trouble := unusable_address(notifier, url):
            return SendOutcome(Receipt.UNUSABLE, trouble)
        if item is None or entry is None:
            return SendOutcome(Receipt.UNTRIED)
        body = notifier.body.filled(values_of(entry, *item[0]))
        return await self.dependencies.sender.send(notifier, url, body)

    def _entry(self, item: Item) -> Entry | None:
        """As it is in the status; where it is no more, it waits no more."""
        owner = self.dependencies.store.owner(item[0]) or {}
        entries = sanitized_status(owner.get("status")).get("notifications", ())
        return next((each for each in entries if each["id"] == item[1]), None)
