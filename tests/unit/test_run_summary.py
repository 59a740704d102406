"""The tables at the end of a run."""

import pytest

from pennant_testing.running.branch_coverage import by_package
from pennant_testing.running.slowest import COUNT, Took, slowest
from pennant_testing.truth.status_truth import SampleTally

pytestmark = pytest.mark.unit


def file(statements: int, branches: int, lines_missing: int, branches_missing: int):
    return {
        "summary": {
            "num_statements": statements,
            "num_branches": branches,
            "missing_lines": lines_missing,
            "missing_branches": branches_missing,
        }
    }


def test_files_are_summed_up_by_package_whatever_is_deeper():
    report = {
        "files": {
            "operator/pennant_operator/config.py": file(10, 0, 0, 0),
            "operator/pennant_operator/observe/poll/poll.py": file(6, 2, 1, 1),
            "operator/pennant_operator/observe/cluster/watch.py": file(2, 0, 0, 0),
        },
        "totals": file(18, 2, 1, 1)["summary"],
    }
    assert by_package(report) == [
        "pennant_operator               100.0 %, 0 of 10 not reached",
        "pennant_operator.observe        80.0 %, 2 of 10 not reached",
        "all                             90.0 %, 2 of 20 not reached",
    ]


def test_each_tier_shows_its_slowest_worst_first():
    took = [Took(n, f"tests/unit/test_a.py::test_{n}", "call") for n in range(COUNT + 2)]
    took += [Took(0, f"tests/e2e/alone/test_b.py::test_{n}", "call") for n in range(COUNT + 1)]
    took.append(Took(3, "tests/e2e/alone/test_b.py::test_0", "setup"))
    lines = slowest(took)
    e2e, unit = lines.index("e2e: 3 s"), lines.index("unit: 66 s")
    assert (e2e, unit) == (0, COUNT + 1)
    assert lines[1].split() == ["3.0", "s", "setup", "tests/e2e/alone/test_b.py::test_0"]
    slow = [line.split("_")[-1] for line in lines[unit + 1 :]]
    assert slow == [str(n) for n in range(COUNT + 1, 1, -1)]


def test_a_tier_of_which_few_tests_ran_shows_nothing():
    assert slowest([Took(9, "tests/unit/test_a.py::test_b", "call")]) == []


def test_what_two_samplers_saw_is_added_up():
    both = SampleTally(10, 2, 0, 0.5).and_also([5, 1, 1, 4.5])
    assert str(both) == (
        "15 samples of 3 ModelDeployments, 1 disagreements of more than 4 s, the longest 4.5 s"
    )
