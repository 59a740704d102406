"""Receivers of notifiers in memory, and a real Courier that sends to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
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
from pennant_testing.memory.object_builders import NOW

OK = ReceiverAnswer(200, "ok")


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
