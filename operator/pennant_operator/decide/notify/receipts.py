"""What a receiver's answer to a message means, and what a person can do about it.

Its address is a secret: nothing that is made here holds any part of it, nor what a receiver answers
in more than a word, because some repeat the path that they were asked for.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from pennant_operator.decide.notify.notifiers import Notifier

MAX_PAUSE_SECONDS = 3600.0  # that a receiver may ask for with Retry-After
_WORD = re.compile(r"[a-z]+(_[a-z]+)*")  # as Slack's: no_service


class Receipt(StrEnum):
    """What became of an attempt to send a message."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # 3xx or 4xx: again it would be refused, until a person changes something
    LIMITED = "limited"  # 429: it asks to wait
    FAILED = "failed"  # no answer, or 5xx
    UNUSABLE = "unusable"  # the template, or the Secret
    UNTRIED = "untried"  # there is an address, and nothing to send to it


@dataclass(frozen=True)
class SendOutcome:
    """One, as it ended."""

    receipt: Receipt
    trouble: str = ""  # what is in the way and what to do
    pause_seconds: float = 0.0  # that the receiver asks for


@dataclass(frozen=True)
class ReceiverAnswer:
    """What it said, as far as anybody looks."""

    status: int
    text: str  # the beginning of the body
    retry_after: str = ""  # the header


def judge_answer(
    notifier: Notifier, url: str, answer: ReceiverAnswer, now: datetime
) -> SendOutcome:
    """By its status; of the body one word at most."""
    status, pause = answer.status, _pause(answer.retry_after, now)
    if 200 <= status < 300:
        return SendOutcome(Receipt.DELIVERED)
    why = f"the receiver answers {status}{_word(answer.text, url)}"
    address = f"the address of key {notifier.key} in Secret {notifier.secret}"
    if status == 429:
        return SendOutcome(Receipt.LIMITED, pause_seconds=pause)
    if status >= 500:
        cure = "it is tried again by itself; see to the receiver if this lasts"
        return SendOutcome(Receipt.FAILED, f"{why}: {cure}", pause)
    if 300 <= status < 400:
        cure = f"it redirects, which is not followed: put the final one in place of {address}"
    elif status in {401, 403, 404, 410}:
        cure = f"it does not know {address}, or no more: put a new one there"
    else:
        cure = f"it does not take this body: correct spec.notify {notifier.name} template or format"
    return SendOutcome(Receipt.REFUSED, f"{why}: {cure}", pause)


def no_answer(notifier: Notifier, why: str) -> SendOutcome:
    """There was none; `why` names no address."""
    return SendOutcome(
        Receipt.FAILED,
        f"the receiver cannot be reached ({why}): see that it runs, that no NetworkPolicy keeps "
        f"the operator from it, and that its address is that of key {notifier.key} in Secret "
        f"{notifier.secret}",
    )


def unusable_address(notifier: Notifier, url: str) -> str:
    """Why what the Secret holds is no address; empty where it is one."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if usable and url.isprintable() and " " not in url:
        return ""
    cure = "put the receiver's http or https address there"
    return f"Secret {notifier.secret} holds no address as {notifier.key}: {cure}"


def _word(text: str, url: str) -> str:
    """What Slack says is one."""
    word = text.strip()
    return f" ({word})" if len(word) <= 60 and _WORD.fullmatch(word) and word not in url else ""


def _pause(retry_after: str, now: datetime) -> float:
    """Seconds, from a number of them or a date; 0 where it is neither."""
    text = retry_after.strip()
    try:
        seconds = float(text) if text.isdecimal() else _until(text, now)
    except (ValueError, TypeError, OverflowError):
        seconds = 0.0
    return min(max(seconds, 0.0), MAX_PAUSE_SECONDS)


def _until(date: str, now: datetime) -> float:
    return (parsedate_to_datetime(date) - now).total_seconds()
