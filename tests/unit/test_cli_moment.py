"""`pennant audit --at`: what served at a moment, from a log alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.memory.decision_logs import edited, output, run

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("time", "serves"),
    [
        ("2026-11-21T12:05:10", "version 7 served"),
        ("2026-11-21T12:05:12Z", "version 8 served"),
        ("2026-11-21T13:05:12+01:00", "version 8 served"),
    ],
)
def test_what_served_at_a_moment_is_known_from_the_log_alone(
    time: str, serves: str, tmp_path: Path
):
    done = run(tmp_path, list(output(full=False)), "audit", "--at", time, "team/rec")
    assert done.exit_code == 0, done.output
    assert serves in done.stdout


def test_the_answer_has_version_digest_gates_and_who_moved_it(tmp_path: Path):
    at = ("--at", "2026-11-21T12:05:12", "team/rec")
    answer = json.loads(run(tmp_path, list(output()), "audit", "-o", "json", *at).stdout)
    assert (answer["version"], answer["digest"]) == ("8", "sha-of-8")
    assert answer["movedBy"] == "ann@laptop"
    (gate,) = answer["gates"]
    assert (gate["gate"], gate["result"], gate["value"]) == ("metrics.auc.min", "Passed", "0.7")
    assert answer["whole"] is True


@pytest.mark.parametrize("result", ["conflict", "api", "fenced", "gone", "fault"])
def test_a_move_of_the_traffic_that_was_not_done_changed_nothing(result: str, tmp_path: Path):
    lines = [json.loads(line) for line in output(full=False)]
    (moved,) = [n for n, line in enumerate(lines) if "TrafficMoved" in line.get("events", ())]
    lines = [*lines[:moved], lines[moved] | {"result": result}]
    texts = [json.dumps(line) for line in lines]
    done = run(tmp_path, texts, "audit", "--at", "2026-11-21T12:05:12", "team/rec")
    assert "version 7 served" in done.stdout


def test_an_answer_from_a_log_that_was_edited_is_no_success(tmp_path: Path):
    lines = [edited(0, serving={"version": "6"}), *output()[1:]]
    done = run(tmp_path, lines, "audit", "--at", "2026-11-21T12:05:10", "team/rec")
    assert done.exit_code == 1
    assert "version 6 served" in done.stdout
    assert "line 1 was changed" in done.stderr


@pytest.mark.parametrize(
    "changed",
    [
        {"serving": "6"},
        {"serving": {"version": "8"}, "seen": "8"},
        {"gates": 5},
        {"gates": [5]},
        {"verdict": {"reason": "?"}},
        {"verdict": "well"},
        {"time": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_whoever_edits_a_log_cannot_keep_the_answer_from_saying_so(
    changed: dict[str, Any], tmp_path: Path
):
    lines = [edited(0, **changed), *output()[1:]]
    at = ("--at", "2026-11-21T12:05:10", "team/rec")
    done = run(tmp_path, [*lines, lines[0]], "audit", *at)
    assert done.exit_code == 1, done.exception
    assert "line 1 was changed" in done.stderr or "no decision about" in str(done.exception)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("--at yesterday team/rec", "'yesterday' is no time: write for example"),
        ("--at 0001-01-01T00:00+14:00 team/rec", "is no time: write for example"),
        ("--at 2026-11-21T12:05 rec", "'rec' names no ModelDeployment: write NAMESPACE/NAME"),
        ("--head a/1", "--head: 'a/1' is no head: write PROCESS/LINE/SHA256"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused_by_value(
    asked: str, problem: str, tmp_path: Path
):
    done = run(tmp_path, list(output()), "audit", *asked.split())
    assert done.exit_code == 2
    assert problem in " ".join(done.stderr.split())


def test_before_the_first_decision_nobody_knows(tmp_path: Path):
    at = ("--at", "2020-01-01", "team/rec")
    done = run(tmp_path, list(output()), "audit", *at)
    assert "no decision about team/rec is as old as 2020-01-01" in str(done.exception)
