"""`pennant replay` and `pennant audit` over log files, as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pennant_cli.app import app
from pennant_cli.decisions.log_lines import own_line
from pennant_operator.decide.goal import goal
from pennant_operator.decide.record.chain import Chain, line_digest, line_text
from pennant_testing.memory.decision_logs import edited, output, run
from pennant_testing.memory.recorded_decisions import PROCESS, inputs

pytestmark = pytest.mark.unit

PART = 100  # characters: a container runtime cuts longer lines, at 16 KiB


def in_parts(line: str) -> str:
    parts = [line[at : at + PART] for at in range(0, len(line), PART)]
    kinds = ["P"] * (len(parts) - 1) + ["F"]
    time = "2026-11-21T12:05:10.123456789Z"
    return "\n".join(
        f"{time} stdout {kind} {part}" for kind, part in zip(kinds, parts, strict=True)
    )


FORMS: dict[str, Callable[[str], str]] = {
    "as printed": lambda line: line,
    "kubectl logs --timestamps": lambda line: f"2026-11-21T12:05:10.123456789Z {line}",
    "kubectl logs --prefix": lambda line: f"[pod/pennant-operator-5d/operator] {line}",
    "a container runtime's own file": in_parts,
    "another's JSON": lambda line: json.dumps({"log": f"{line}\n", "stream": "stdout"}),
    "another's fields": lambda line: json.dumps({"k8s": {}, "jsonPayload": json.loads(line)}),
    "sorted fields": lambda line: json.dumps(json.loads(line), sort_keys=True, indent=None),
}


@pytest.mark.parametrize("form", FORMS)
def test_lines_are_read_however_they_were_collected(form: str, tmp_path: Path):
    lines = ["2026-11-21 12:05:09 INFO leading", *map(FORMS[form], output()), "{half", ""]
    replayed = run(tmp_path, lines, "replay", "-o", "json")
    assert replayed.exit_code == 0, replayed.output
    assert json.loads(replayed.stdout) == {
        "same": len(inputs(list(output()))),
        "different": [],
        "unreadable": [],
        "skipped": 2,
    }
    audited = run(tmp_path, lines, "audit")
    assert audited.exit_code == 0, audited.output
    assert "nothing was changed, dropped or reordered" in audited.stdout
    assert "2 lines are none of these" in audited.stderr


def test_it_reads_standard_input():
    done = CliRunner().invoke(app, ["replay", "-"], input="\n".join(output()))
    assert done.exit_code == 0
    assert f"{len(inputs(list(output())))} decisions: " in done.stdout


def test_standard_input_may_hold_anything_as_a_file_may():
    given = b"\xff\xfe \x80\n" + "\n".join(output()).encode()
    done = CliRunner().invoke(app, ["audit", "-"], input=given)
    assert done.exit_code == 0, done.output
    assert "1 lines are none of these" in done.stderr


def test_what_would_be_decided_otherwise_is_printed_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lines = list(output())
    monkeypatch.setattr(goal, "waits_in_line", lambda *_: True)
    done = run(tmp_path, lines, "replay")
    assert done.exit_code == 1
    assert "team/rec at 2026-11-21T12:05:10Z" in done.stdout
    assert 'status.summary: "RollingOut" would be "Waiting"' in done.stdout
    data = json.loads(run(tmp_path, list(output()), "replay", "-o", "json").stdout)
    first = data["different"][0]
    assert first["place"].endswith("operator.log:2")
    assert {"field": "status.summary", "was": "RollingOut", "would": "Waiting"} in first["fields"]
    assert "status.conditions[AliasInSync].reason" in [each["field"] for each in first["fields"]]


def test_a_version_that_fails_on_an_input_is_told_as_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lines = list(output())
    monkeypatch.setattr(goal, "waits_in_line", None)
    done = run(tmp_path, lines, "replay")
    assert done.exit_code == 1
    assert 'plan: "a decision" would be "a failure: TypeError' in done.stdout


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"format": 2}, "its format is 2, and this version reads 1"),
        ({"input": "eJw="}, "it is damaged"),
        ({"input": None}, "it is damaged"),
        ({"plan": "0" * 64}, "its plan is not the one of its hash"),
    ],
)
def test_an_input_that_cannot_be_run_is_named_and_not_guessed(
    fields: dict[str, Any], why: str, tmp_path: Path
):
    done = run(tmp_path, [edited(1, **fields), *output()[2:]], "replay")
    assert done.exit_code == 1
    assert "operator.log:1: " in done.stdout
    assert why in done.stdout
    assert "1 not decided anew" in done.stdout


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        ((0, 1, 3), "operator.log:3: before line 4, line 3 is missing"),
        ((2, 3), "operator.log:1: before line 3, line 1 to 2 is missing"),
        ((0, 2, 1, 3), "operator.log:3: line 2 stands after line 3"),
    ],
    ids=["dropped", "begins late", "reordered"],
)
def test_what_was_dropped_or_reordered_is_named_with_its_place(
    lines: tuple[int, ...], finding: str, tmp_path: Path
):
    done = run(tmp_path, [output()[number] for number in lines], "audit", "-o", "json")
    assert done.exit_code == 1
    (named,) = json.loads(done.stdout)["findings"]
    assert named.endswith(finding)


def test_what_was_changed_is_named_with_its_place(tmp_path: Path):
    lines = list(output())
    for number in range(len(lines) - 1):
        seen = {"version": "9"}
        changed = [*lines[:number], edited(number, seen=seen), *lines[number + 1 :]]
        done = run(tmp_path, changed, "audit")
        assert done.exit_code == 1
        assert f"operator.log:{number + 1}: line {number + 1} was changed" in done.stdout


def next_process(number: int, digest: str) -> str:
    """The first line of one that knew this of the process before."""
    first = json.loads(output()[0])
    after = f"{first['process']}/{number}/{digest}"
    return json.dumps(first | {"process": "fedcba", "after": after})


def test_the_end_of_a_process_is_known_by_the_next_one(tmp_path: Path):
    lines, last = list(output()), len(output())
    digest = line_digest(json.loads(lines[-1]))
    assert run(tmp_path, [*lines, next_process(last, digest)], "audit").exit_code == 0
    for kept, finding in (
        (lines[:-1], f"operator.log:{last - 1}: after line {last - 1}, line {last} to {last} is"),
        ([*lines[:-1], edited(last - 1, plan="0")], f"operator.log:{last}: line {last} was"),
    ):
        done = run(tmp_path, [*kept, next_process(last, digest)], "audit")
        assert done.exit_code == 1
        assert finding in done.stdout
    alone = run(tmp_path, [next_process(last, digest)], "audit")
    assert alone.exit_code == 0  # nobody gave the other's log


def test_a_chain_that_was_made_anew_is_told_by_a_head_that_was_noted_elsewhere(tmp_path: Path):
    chain, forged = Chain(PROCESS), list[str]()
    for line in (edited(0, serving={"version": "6"}), *output()[1:]):
        linked = chain.link(json.loads(line))
        chain.append(linked)
        forged.append(line_text(linked))
    assert run(tmp_path, forged, "audit").exit_code == 0
    head = f"{PROCESS}/3/{line_digest(json.loads(output()[2]))}"
    for lines, result, finding in (
        (list(output()), "found", "nothing was changed, dropped or reordered"),
        (forged, "changed", "operator.log:3: line 3 was changed, or one before it: see its head"),
        (forged[:2], "missing", f"line 3 of process {PROCESS} is missing"),
        ([next_process(9, "0" * 64)], "missing", f"line 3 of process {PROCESS} is missing"),
    ):
        done = run(tmp_path, lines, "audit", "--head", head)
        assert done.exit_code == (0 if result == "found" else 1)
        assert f"head {head}: {result}\n" in done.stdout
        assert finding in done.stdout


def test_a_log_that_was_fetched_twice_is_whole_and_one_of_two_tales_is_not(tmp_path: Path):
    assert run(tmp_path, [*output(), *output()], "audit").exit_code == 0
    done = run(tmp_path, [*output(), edited(0, result="refused")], "audit")
    assert done.exit_code == 1
    assert "line 1 is another one at" in done.stdout


def test_a_line_without_a_chain_is_named(tmp_path: Path):
    done = run(tmp_path, ['{"event": "decision"}'], "audit")
    assert done.exit_code == 1
    assert "operator.log:1: it is in no chain" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("replay",), "there is no recorded input in these files"),
        (("audit",), "there is no decision in these files"),
    ],
)
def test_a_file_that_holds_none_is_an_error_that_says_what_to_do(
    arguments: tuple[str, ...], problem: str, tmp_path: Path
):
    done = run(tmp_path, ["nothing of ours"], *arguments)
    assert done.exit_code == 1
    assert problem in str(done.exception)


def test_a_line_of_a_hostile_log_is_passed_over():
    deep = '{"event":' + "[" * 100_000
    assert own_line(f'{{"event": "decision"{deep}') is None
    assert own_line('{"message": "a decision was taken"}') is None
    assert own_line("decision {") is None
    assert own_line('{"event": {"decision": 1}}') is None
