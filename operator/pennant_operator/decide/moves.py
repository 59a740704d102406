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
    lobby: bool = False  # whether it is there
    candidate: str | None = None  # the slot that Service <name>-candidate leads to; None: no such
    weight: str = ""  # percent of the requests that it gets from pods with traffic; "": none
