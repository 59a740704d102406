"""A ModelRegistry's `spec.notify`: who is to know what, and in which form."""

from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.notify.bodies import BadTemplateError, Body, parse_body
from pennant_operator.decide.vocabulary import Occasion


@dataclass(frozen=True)
class Recipient:
    """What decisions know of a notifier: inputs are printed, and a template may hold a key."""

    name: str
    occasions: frozenset[str]


@dataclass(frozen=True)
class Notifier(Recipient):
    """One of them. Its address is read from the Secret with each message, and never kept."""

    secret: str  # in the operator's namespace
    key: str  # in it
    body: Body | None  # None: its template cannot be used
    fault: str = ""  # why not, and what to do

    @property
    def recipient(self) -> Recipient:
        """Without what it is sent, and where."""
        return Recipient(self.name, self.occasions)


def parse_notifiers(spec: dict[str, Any]) -> tuple[Notifier, ...]:
    """Those of a ModelRegistry's spec; a bad template spoils its own notifier only."""
    return tuple(_notifier(each) for each in spec.get("notify", ()))


def _notifier(given: dict[str, Any]) -> Notifier:
    name, address = given["name"], given["urlSecret"]
    body, fault = None, ""
    try:
        body = parse_body(given.get("template"), given.get("format", "Slack"))
    except BadTemplateError as error:
        fault = f"spec.notify {name} template {error}"
    return Notifier(
        name,
        frozenset(given.get("occasions", Occasion)),
        address["name"],
        address.get("key", "url"),
        body,
        fault,
    )
