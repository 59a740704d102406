"""`status.notifications`: what notifiers are still to be sent, written with what it is about.

The transition and that it is to be sent are one write: no operator that is killed loses one. What
was sent is taken out with the next write. Whoever dies in between has the next one send it again.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from pennant_operator.decide.intent import WARNING, Event
from pennant_operator.decide.notify.news import Entry, Status, is_held_still
from pennant_operator.decide.notify.notifiers import Recipient
from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import EventReason

# Of one entry: its id, its registry, and the name of one notifier that it is for.
Delivery: TypeAlias = tuple[str, str, str]
MAX_NOTIFICATIONS = 10  # of `status.notifications`; the oldest make room
GIVEN_UP_AFTER = timedelta(hours=24)  # in which a notifier is to take a message


@dataclass(frozen=True)
class Outbox:
    """What waits, oldest first, and what does no more, though nobody was sent it."""

    entries: list[Entry]
    events: tuple[Event, ...] = ()  # of what is given up
    given_up: tuple[Delivery, ...] = ()
    due: float | None = None  # seconds until one of them is given up


def next_outbox(
    after: Status,
    before: Status,
    news: list[Entry],
    registry: str,
    notifiers: Sequence[Recipient] | None,
    sent: Set[Delivery],
    now: datetime,
) -> Outbox:
    """The next one, by the status that is decided and the one before it.

    While the ModelRegistry cannot be read (None) nobody knows whom the news is for: it waits.
    """
    known = [*before.get("notifications", ()), *({**e, "registry": registry} for e in news)]
    addressed = (
        _addressed(_left_of(e, sent, registry, notifiers), registry, notifiers) for e in known
    )
    entries = [e for e in addressed if e is not None and (_waits(e) or is_held_still(e, after))]
    late = [each for each in entries if _waits(each) and is_late(each, now)]
    # What was sent, and is remembered because it is so still, makes room first.
    staying = sorted((each for each in entries if each not in late), key=_waits)
    crowded, left = staying[:-MAX_NOTIFICATIONS], staying[-MAX_NOTIFICATIONS:]
    dropped = [each for each in crowded if _waits(each)]
    events = (
        *(_given_up(each, "it was not taken in 24 hours") for each in late),
        *(_given_up(each, "newer ones wait, too") for each in dropped),
    )
    ordered = sorted(left, key=lambda each: str(each["time"]))
    given_up = tuple(deliveries({"notifications": [*late, *dropped]}))
    return Outbox(ordered, events, given_up, _due(ordered, now))


def deliveries(status: Status) -> list[Delivery]:
    """What is to be sent, oldest first."""
    return [
        (each["id"], each["registry"], name)
        for each in status.get("notifications", ())
        for name in each.get("to", ())
    ]


def _left_of(
    entry: Entry, sent: Set[Delivery], registry: str, notifiers: Sequence[Recipient] | None
) -> Entry:
    """For those that it was not sent to, as far as they are there."""
    if "to" not in entry:
        return entry
    left = [name for name in entry["to"] if (entry["id"], entry["registry"], name) not in sent]
    if notifiers is not None and entry["registry"] == registry:
        known = {each.name for each in notifiers}
        left = [name for name in left if name in known]
    return {**entry, "to": left}


def _addressed(entry: Entry, registry: str, notifiers: Sequence[Recipient] | None) -> Entry | None:
    """With whom it is for, once that is known; None where it is for nobody."""
    if "to" in entry or notifiers is None or entry["registry"] != registry:
        return entry
    names = [each.name for each in notifiers if entry["occasion"] in each.occasions]
    return {**entry, "to": names} if names else None


def _waits(entry: Entry) -> bool:
    """For a notifier, or to learn whom it is for."""
    return bool(entry.get("to", True))


def is_late(entry: Entry, now: datetime) -> bool:
    """Whether it is given up."""
    return now - parse_time(entry["time"]) >= GIVEN_UP_AFTER


def _due(entries: list[Entry], now: datetime) -> float | None:
    """No courier looks at all of thousands that one receiver does not take."""
    ages = (now - parse_time(each["time"]) for each in entries if _waits(each))
    return min(((GIVEN_UP_AFTER - age).total_seconds() for age in ages), default=None)


def _given_up(entry: Entry, why: str) -> Event:
    names = ", ".join(entry.get("to") or ["its notifiers"])
    return Event(
        WARNING,
        EventReason.NOTIFICATION_GIVEN_UP,
        f"{entry['occasion']} of version {entry['version']} is not sent to {names} of ModelRegistry"
        f" {entry['registry']}: {why}; its status.notifiers says what is in the way",
    )
