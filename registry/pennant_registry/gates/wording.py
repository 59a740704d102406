"""How much of what somebody logged, tagged or registered stands in a message."""

from __future__ import annotations

from collections.abc import Sequence

MAX_LISTED = 10
MAX_SHOWN_CHARACTERS = 100


def listed(items: Sequence[str], between: str = ", ") -> str:
    """The first of them, each shortened; that there are more is to be seen."""
    shown = [shortened(item) for item in items[:MAX_LISTED]]
    return between.join([*shown, *(["…"] if len(items) > MAX_LISTED else [])])


def shortened(text: str) -> str:
    """Its beginning, where it is long."""
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
