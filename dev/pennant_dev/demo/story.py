"""What happened in a demo, as data: acts, alias moves, outages and every request. Pure."""

from dataclasses import dataclass, field

from newsreco.loadgen_report import Move, Row, Timing, between, failures, mismatches, timing
from pennant_dev.demo.heard import Heard


@dataclass(frozen=True)
class Act:
    """One act: what was shown, from when to when (Unix seconds), and the alias move in it."""

    number: int
    title: str
    begun: float
    ended: float
    move: Move | None = None


@dataclass
class Story:
    """Acts in order, the log of the traffic, and what each version's answers must carry."""

    acts: list[Act] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    """What the operator's log said of aliases."""
    outage: tuple[float, float] | None = None
    """When MLflow had no pods."""

    def rows_of(self, act: Act) -> list[Row]:
        """The requests that finished during an act."""
        return between(self.rows, act.begun, act.ended)

    def timing_of(self, act: Act) -> Timing:
        """Seconds from an act's alias move to the first new and last old answer."""
        return timing(self.rows_of(act), act.move) if act.move else Timing(None, None)

    def hooked(self, act: Act) -> float | None:
        """Seconds from an act's alias move to its webhook at the operator."""
        if act.move is None:
            return None
        since = act.begun
        hooks = [
            each.at for each in self.heard if not each.version and since <= each.at < act.ended
        ]
        # MLflow sends it while the request that sets the alias is still being answered.
        return max(hooks[0] - act.move.at, 0.0) if hooks else None

    @property
    def failed(self) -> list[Row]:
        """Requests that failed, whatever the act."""
        return failures(self.rows)

    @property
    def mismatched(self) -> list[Row]:
        """Answers whose body and version header disagree."""
        return mismatches(self.rows, self.markers)
