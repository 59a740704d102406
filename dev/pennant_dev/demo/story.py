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
    title: str = "Traffic follows the alias"
    went_back: str = ""
    """The version that is shown to fail under traffic: its errors are what goes back by."""

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
        """Requests that failed, whatever the act, but for those of the version that went back."""
        return [row for row in failures(self.rows) if not self._shown(row)]

    def shown_failing(self, rows: list[Row]) -> int:
        """How many of these are errors that the version that went back answered with."""
        return sum(self._shown(row) for row in failures(rows))

    def failed_in_words(self, rows: list[Row]) -> str:
        """How many of these failed: `0`, or `0 and 31 of v7`, which went back for it."""
        shown = self.shown_failing(rows)
        failed = len(failures(rows)) - shown
        return f"{failed} and {shown} of v{self.went_back}" if shown else f"{failed}"

    def _shown(self, row: Row) -> bool:
        return bool(row.version) and row.version == self.went_back and not row.error

    @property
    def mismatched(self) -> list[Row]:
        """Answers whose body and version header disagree."""
        return mismatches(self.rows, self.markers)
