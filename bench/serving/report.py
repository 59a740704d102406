"""The tables: everybody's figures, and how many times better or worse ours are. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bench.serving.run import Plan, Result
from bench.serving.server import Memory

NONE = "-"
HEADLINE_CONNECTIONS = 64
"""The connections of the table that is read first, where they were measured."""


@dataclass(frozen=True)
class Setting:
    """When, where and how it was measured."""

    date: str
    command: str
    machine: str
    generator: str


@dataclass(frozen=True)
class Report:
    """One run of everything."""

    setting: Setting
    plan: Plan
    results: tuple[Result, ...]

    @property
    def connections(self) -> int:
        """Those of the first table and of the plot."""
        numbers = self.plan.connections
        return HEADLINE_CONNECTIONS if HEADLINE_CONNECTIONS in numbers else max(numbers)

    @property
    def failed(self) -> int:
        """Requests that were lost or answered wrongly, of anybody."""
        return sum(point.load.failed for result in self.results for point in result.points)

    @property
    def unanswered(self) -> int:
        """Points at which somebody answered nothing in time."""
        return sum(not point.load.requests for result in self.results for point in result.points)

    @property
    def busiest(self) -> float:
        """The largest share of its core that the load generator ever used."""
        return max((p.load.busy for result in self.results for p in result.points), default=0)

    def ratio(self, result: Result, rows: int, connections: int) -> float | None:
        """How many times as many requests ours answers, asked in the same way."""
        ours = next((each for each in self.results if each.name == result.against), None)
        mine, theirs = (r.at(rows, connections) if r else None for r in (ours, result))
        return mine.rate / theirs.rate if mine and theirs and theirs.rate else None


def to_json(report: Report) -> dict[str, Any]:
    """All of it."""
    return asdict(report)


def markdown(report: Report) -> str:
    """The tables, for a terminal and for a page."""
    parts = [_facts(report), "", f"## {report.connections} connections", ""]
    parts += [*_headline(report), "", "## All points", ""]
    for rows in report.plan.rows:
        parts += [f"{_rows(rows)} a request: right answers per second, and p99 in ms:", ""]
        parts += [*_everything(report, rows), ""]
    if any(result.phases for result in report.results):
        parts += ["## Where the start goes", "", "Seconds by phase; `grpc` runs beside `load`.", ""]
        parts += [*_starts(report), ""]
    troubles = [f"- {result.name}: {result.trouble}" for result in report.results if result.trouble]
    if troubles:
        parts += ["## Not measured", "", *troubles, ""]
    return "\n".join(parts)


def _facts(report: Report) -> str:
    setting = report.setting
    return "\n".join([
        f"- {setting.date}, `{setting.command}`: {report.plan}",
        f"- {setting.machine}",
        f"- {setting.generator}; its core was busy at most {report.busiest:.0%}",
        f"- requests lost or answered wrongly: {report.failed}",
        f"- points without any answer within their seconds: {report.unanswered}",
    ])  # fmt: skip


def _headline(report: Report) -> Iterable[str]:
    sizes = report.plan.rows
    heads = ["server", *(f"{_rows(n)}: requests/s, p50, p99 ms, Pennant is" for n in sizes)]
    heads += ["start, s", "idle: PSS (RSS), MiB", "after the load: PSS (RSS), MiB"]
    return _table(heads, (_headline_row(report, result) for result in report.results))


def _headline_row(report: Report, result: Result) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    cells = [f"{result.name}<br><small>{versions}</small>" if versions else result.name]
    for rows in report.plan.rows:
        load = result.at(rows, report.connections)
        times = report.ratio(result, rows, report.connections)
        ratio = f", **{times:.3g}x**" if times else ""
        cells.append(f"{load.rate:,.0f}, {load.p50:.1f}, {load.p99:.1f}{ratio}" if load else NONE)
    start = f"{result.start:.2f}" if result.start else NONE
    return [*cells, start, _weight(result.idle), _weight(result.loaded)]


def _weight(memory: Memory | None) -> str:
    return f"{memory.pss:.0f} ({memory.rss:.0f})" if memory else NONE


def _starts(report: Report) -> Iterable[str]:
    timed = [result for result in report.results if result.phases]
    names = list(dict.fromkeys(name for result in timed for name in result.phases))
    rows = ([result.name, *(f"{result.phases.get(name, 0):.2f}" for name in names),
             f"{result.start or 0:.2f}"] for result in timed)  # fmt: skip
    return _table(["server", *names, "first right answer"], rows)


def _everything(report: Report, rows: int) -> Iterable[str]:
    numbers = report.plan.connections
    heads = ["server", *(f"{number} conn." for number in numbers)]
    return _table(heads, ([result.name, *(_point(result, rows, n) for n in numbers)]
                          for result in report.results))  # fmt: skip


def _point(result: Result, rows: int, connections: int) -> str:
    load = result.at(rows, connections)
    if load is None:
        return NONE
    failed = f", {load.failed} failed" if load.failed else ""
    return f"{load.rate:,.0f}, {load.p99:.1f}{failed}"


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    line: Callable[[Iterable[str]], str] = lambda cells: f"| {' | '.join(cells)} |"  # noqa: E731
    return [line(heads), line("---" for _ in heads), *map(line, rows)]
