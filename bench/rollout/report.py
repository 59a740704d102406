"""The tables of some runs, and whether they kept within the budgets. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bench.rollout.timeline import (
    BACK,
    BUNDLE,
    BY_HAND,
    BY_HAND_BUNDLE,
    CACHE,
    PARTS,
    POLL,
    WEBHOOK,
    Move,
    Spread,
    spread,
)
from newsreco.loadgen_report import FRESH, POOLED

TITLES = {
    WEBHOOK: "Pennant, with the webhook",
    POLL: "Pennant, by its poll alone",
    BACK: "Pennant, back within the bake",
    BUNDLE: "Pennant, `environment: Bundle`",
    CACHE: "Pennant, `Bundle` with a cache",
    BY_HAND: "by hand",
    BY_HAND_BUNDLE: "by hand, `--env-manager uv`",
}
BY_HANDS = (BY_HAND, BY_HAND_BUNDLE)
BUDGETS = {
    "with the webhook, first new answer": (WEBHOOK, "first", 4.5),
    "with the webhook, last old answer of kept connections": (WEBHOOK, POOLED, 7.0),
    "back within the bake, new connections": (BACK, FRESH, 0.5),
    "environment: Bundle, first new answer": (BUNDLE, "first", 10.0),
    "environment: Bundle with a cache, first new answer": (CACHE, "first", 5.0),
}
"""Series, which figure, seconds; the median counts."""


@dataclass(frozen=True)
class Run:
    """What one run measured."""

    date: str
    command: str
    machine: str
    moves: tuple[Move, ...]

    @property
    def kinds(self) -> list[str]:
        """Of which it measured some."""
        measured = {move.kind for move in self.moves}
        return [kind for kind in TITLES if kind in measured]


@dataclass(frozen=True)
class Report:
    """Runs, the newest first; of each kind of move there are those of one run."""

    runs: tuple[Run, ...]

    def with_run(self, run: Run) -> "Report":
        """What it measured takes the place of what was measured before."""
        older = (
            replace(each, moves=tuple(m for m in each.moves if m.kind not in run.kinds))
            for each in self.runs
        )
        return Report((run, *(each for each in older if each.moves)))

    @property
    def moves(self) -> list[Move]:
        """All that are told of."""
        return [move for run in self.runs for move in run.moves]

    def series(self, kind: str) -> list[Move]:
        """The moves of one kind."""
        return [move for move in self.moves if move.kind == kind]

    def figure(self, kind: str, which: str) -> Spread | None:
        """`first` is the first new answer; else the last old one, by kind of connection."""
        if which == "first":
            return spread([move.total for move in self.series(kind)])
        last = [move.last_old.get(which) for move in self.series(kind)]
        return spread([each for each in last if each is not None])

    @property
    def failed(self) -> int:
        """Requests of Pennant's series that failed."""
        return sum(move.failed for move in self.moves if move.kind not in BY_HANDS)


def markdown(report: Report) -> str:
    """All tables."""
    kinds = [kind for kind in TITLES if report.series(kind)]
    parts = ["## Runs", "", *map(_described, report.runs), "", *_summary(report, kinds)]
    parts += ["", *_budgets(report), "", "## Parts", ""]
    parts += ["Seconds, least / median / p99; medians need not add up.", "", *_parts(report, kinds)]
    return "\n".join(parts) + "\n"


def _described(run: Run) -> str:
    measured = "; ".join(TITLES[kind] for kind in run.kinds)
    return f"- {run.date}, `{run.command}`: {measured}. {run.machine}."


def _summary(report: Report, kinds: Sequence[str]) -> Iterable[str]:
    figures: dict[str, Callable[[str], str]] = {
        "moves": lambda kind: str(len(report.series(kind))),
        "first new answer": lambda kind: _shown(report.figure(kind, "first")),
        "last old answer, new connections": lambda kind: _shown(report.figure(kind, FRESH)),
        "last old answer, kept connections": lambda kind: _shown(report.figure(kind, POOLED)),
        "requests, of which failed": lambda kind: _requests(report.series(kind)),
    }
    return _table(
        ["seconds: least / median / p99", *(TITLES[kind] for kind in kinds)],
        [[name, *map(show, kinds)] for name, show in figures.items()],
    )


def _budgets(report: Report) -> Iterable[str]:
    rows = []
    for name, (kind, which, budget) in BUDGETS.items():
        spread_of_all = report.figure(kind, which)
        if spread_of_all is not None:
            verdict = "kept" if spread_of_all.median <= budget else "**not kept**"
            rows.append([name, f"<= {budget} s", f"{spread_of_all.median:.2f} s", verdict])
    return _table(["budget", "", "median", ""], rows)


def _parts(report: Report, kinds: Sequence[str]) -> Iterable[str]:
    rows = []
    for name, what in PARTS.items():
        spreads = [spread(_of(report.series(kind), name)) for kind in kinds]
        if any(spreads):
            rows.append([what, *map(_shown, spreads)])
    return _table(["part", *(TITLES[kind] for kind in kinds)], rows)


def _of(moves: Iterable[Move], name: str) -> list[float]:
    return [move.parts[name] for move in moves if name in move.parts]


def _requests(moves: Iterable[Move]) -> str:
    moves = list(moves)
    return f"{sum(m.requests for m in moves):,}, {sum(m.failed for m in moves)}"


def _shown(values: Spread | None) -> str:
    return "-" if values is None else " / ".join(f"{each:.2f}" for each in values)


def _table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
