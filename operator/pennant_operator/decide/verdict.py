"""What may be decided about a candidate; `candidate/verdicts.py` decides which it is."""

from dataclasses import dataclass

from pennant_operator.decide.seen.environment import InstalledEnvironment
from pennant_operator.decide.vocabulary import Reason


@dataclass(frozen=True)
class Waiting:
    """Still coming, within its deadlines."""

    phase: str  # schedule | fetch | load
    message: str


@dataclass(frozen=True)
class Passed:
    """Its pods were all ready, enough are, and they reported the same digests."""

    digest: str
    environment: InstalledEnvironment | None = None  # None: its packages are the image's


@dataclass(frozen=True)
class Rejected:
    """The model's fault."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Held:
    """The world's fault, for longer than the phase's deadline."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Crowded:
    """The world has no room for it beside what serves, for as long as Auto waits."""

    message: str


Verdict = Waiting | Passed | Rejected | Held | Crowded
