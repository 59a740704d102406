"""Receivers of notifiers in memory, and a real Courier that sends to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.notify.notifiers import Notifier, parse_notifiers
from pennant_operator.decide.notify.receipts import (
    Receipt,
    ReceiverAnswer,
    SendOutcome,
    judge_answer,
    no_answer,
)
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.run.notify.courier import Courier, CourierDependencies
from pennant_testing.memory.object_builders import NOW, model_deployment

OK = ReceiverAnswer(200, "ok")
KEY = ("team", "rec")


def notifier(name: str = "slack", **given: Any) -> Notifier:
    """As a ModelRegistry names it."""
    spec = {"name": name, "urlSecret": {"name": f"{name}-url"}, **given}
    return parse_notifiers({"notify": [spec]})[0]


@dataclass
class ReceiversInMemory:
    """They take everything, unless `answers` has something else for a notifier (None: silence)."""

    now: Callable[[], datetime] = lambda: NOW
    answers: dict[str, ReceiverAnswer | None] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, Any]] = field(default_factory=list)  # by whom, and the body
    tried: list[str] = field(default_factory=list)
    leads: bool = True
    """Whether who sends to them may still write."""

    async def address(self, notifier: Notifier) -> str:
        """Of its Secret; empty in `secrets` where there is none."""
        url = self.secrets.get(notifier.secret, f"https://{notifier.name}.example/hook")
        if not url:
            raise RegistryTroubleError(f"There is no Secret {notifier.secret}")
        return url

    async def send(self, notifier: Notifier, url: str, body: Any) -> SendOutcome:
        """As a Sender does."""
        self.tried.append(notifier.name)
        answer = self.answers.get(notifier.name, OK)
        if answer is None:
            return no_answer(notifier, "no answer")
        outcome = judge_answer(notifier, url, answer, self.now())
        if outcome.receipt is Receipt.DELIVERED:
            self.taken.append((notifier.name, body))
        return outcome

    def courier(
        self,
        store: Store,
        look_again: Callable[[Key], None] = lambda _: None,
        count: Callable[[str, str, str], None] = lambda *_: None,
    ) -> Courier:
        """That sends to them what ModelDeployments of this store hold."""
        sender: Any = self
        return Courier(
            CourierDependencies(
                store=store,
                sender=sender,
                read_address=self.address,
                look_again=look_again,
                count=count,
                fence=lambda: 60.0 if self.leads else 0.0,
                now=self.now,
                random=lambda: 0.5,
            )
        )

    def texts(self, name: str) -> Iterable[str]:
        """What one was sent, as Slack shows it."""
        return [body["text"] for by, body in self.taken if by == name]


class Post:
    """A store, receivers, and a Courier between them."""

    def __init__(self) -> None:
        self.store, self.version = Store(), 1
        self.receivers = ReceiversInMemory(self.clock)
        self.looked: list[Key] = []
        self.results: Counter[tuple[str, str]] = Counter()
        self.reports: list[tuple[str, str | None]] = []
        self.courier = self.receivers.courier(self.store, self.looked.append, self.count)

    def clock(self) -> Any:
        return NOW + timedelta(seconds=asyncio.get_running_loop().time())

    def count(self, _: str, name: str, result: str) -> None:
        self.results[name, result] += 1

    def hold(self, *news: str, to: tuple[str, ...] = ("slack",), key: Key = KEY) -> None:
        """A ModelDeployment's status has these, by their ids, and it was reconciled."""
        entries = [
            {
                "id": each,
                "occasion": "Serving",
                "registry": "default",
                "model": "news",
                "version": each,
                "time": "2026-11-21T12:00:00Z",
                "to": list(to),
            }
            for each in news
        ]
        self.version += 1
        owner = model_deployment(key[1], status={"notifications": entries})
        owner["metadata"]["resourceVersion"] = str(self.version)
        self.store.put(owner)
        self.courier.look(key, owner["status"])

    @contextlib.asynccontextmanager
    async def running(self, *notifiers: Notifier) -> AsyncIterator[None]:
        """Until the block is left."""
        tasks = [asyncio.create_task(self.courier.run("default", n, self.report(n.name)))
                 for n in notifiers]  # fmt: skip
        yield
        for task in tasks:
            assert not task.done()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def report(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def reported() -> None:
            self.reports.append((name, self.courier.trouble("default", name)))

        return reported

    def versions(self, name: str = "slack") -> list[str]:
        """Of what one was sent, in that order."""
        return [text.split()[2] for text in self.receivers.texts(name)]
