"""Where a strategy goes next: what each slot should hold, and which has the traffic."""

from dataclasses import dataclass

from pennant_operator.decide.seen.traffic import Traffic


@dataclass(frozen=True)
class NextSlot:
    """What a slot should hold."""

    revision: str
    size: int


@dataclass(frozen=True)
class Moves:
    """The next state of the slots and of the traffic."""

    slots: dict[str, NextSlot]
    traffic: Traffic | None
