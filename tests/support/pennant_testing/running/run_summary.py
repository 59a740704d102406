"""What the end of a run tells: the slowest of each tier, coverage, and status against traffic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.running.branch_coverage import by_package
from pennant_testing.running.slowest import Took, slowest
from pennant_testing.truth.kstatus import VerdictTally
from pennant_testing.truth.status_truth import SampleTally

COVERAGE = Path("out/coverage.json")  # of `pytest --cov --cov-report=json:out/coverage.json`
SEEN = pytest.StashKey[SampleTally]()
READ = pytest.StashKey[VerdictTally]()


def saw(config: pytest.Config, seen: SampleTally, read: VerdictTally) -> None:
    """A sampler has ended; a worker of pytest-xdist hands over what it saw."""
    if hasattr(config, "workeroutput"):
        config.workeroutput |= {"trust": list(seen), "kstatus": list(read)}
    else:
        config.stash[SEEN], config.stash[READ] = seen, read


class RunSummary:
    """Collects as the tests go on, and writes at the end."""

    def __init__(self) -> None:
        self._took: list[Took] = []
        COVERAGE.unlink(missing_ok=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._took.append(Took(report.duration, report.nodeid, report.when or ""))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        stash, output = node.config.stash, getattr(node, "workeroutput", {})
        stash[SEEN] = stash.get(SEEN, SampleTally()).and_also(output.get("trust", SampleTally()))
        stash[READ] = stash.get(READ, VerdictTally()).and_also(
            output.get("kstatus", VerdictTally())
        )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        def section(title: str, lines: list[str]) -> None:
            if lines:
                terminalreporter.section(title)
                terminalreporter.write_line("\n".join(lines))

        section("slowest of each tier", slowest(self._took))
        if COVERAGE.exists():
            section("branch coverage by package", by_package(json.loads(COVERAGE.read_text())))
        if config.stash.get(SEEN, SampleTally()).samples:
            section("trust: status against traffic", [str(config.stash[SEEN])])
        if config.stash.get(READ, VerdictTally()).judged:
            section("what kstatus reads in the statuses", [f"kstatus: {config.stash[READ]}"])
