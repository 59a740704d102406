"""`pennant replay` and `pennant audit` over log files, as they come."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pennant_cli.app import app
from pennant_cli.decisions.log_lines import own_line
from pennant_operator.decide.goal import goal
from pennant_operator.decide.record.chain import line_digest
from pennant_registry.gates import VersionFacts
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.recorded_decisions import inputs, printed
from pennant_testing.memory.simulated_cluster import alias_moved

pytestmark = pytest.mark.unit

PART = 100  # characters: a container runtime cuts longer lines, at 16 KiB


@functools.cache
def output(*, full: bool = True) -> tuple[str, ...]:
    """Ann moves the alias to 8, whose gate lets it through, at 12:05:10; it serves a second on."""
    sim = alias_moved()
    names = {"by": "ann@laptop", "at": "2026-11-21T12:04:00Z", "as": "news/8@production"}
    moves = {f"pennant.promoted-{name}.production": text for name, text in names.items()}
    sim.desired = replace(version(8), moves=moves)
    sim.specify(gates={"metrics": [{"name": "auc", "min": "0.5"}]})
    sim.facts = {"8": VersionFacts("8", {"auc": 0.7})}
    return tuple(line.strip() for line in printed(lambda: sim.run(6), full=full))


def run(tmp_path: Path, lines: list[str], *arguments: str) -> Result:
    """A command about a log of these lines."""
    log = tmp_path / "operator.log"
    log.write_text("\n".join(lines) + "\n")
    return CliRunner().invoke(app, [arguments[0], str(log), *arguments[1:]])


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
    anything = b"\xff\xfe \x80\n"
    done = CliRunner().invoke(app, ["replay", "-"], input=anything + "\n".join(output()).encode())
    assert done.exit_code == 0, done.exception
    assert f"{len(inputs(list(output())))} decisions: " in done.stdout


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


def edited(number: int, **fields: Any) -> str:
    return json.dumps(json.loads(output()[number]) | fields)


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


def test_an_answer_from_a_log_that_was_edited_is_no_success(tmp_path: Path):
    lines = [edited(0, serving={"version": "6"}), *output()[1:]]
    done = run(tmp_path, lines, "audit", "--at", "2026-11-21T12:05:10", "team/rec")
    assert done.exit_code == 1
    assert "version 6 served" in done.stdout
    assert "line 1 was changed" in done.stderr


@pytest.mark.parametrize(
    "changed",
    [
        {"serving": "6", "seen": "8"},
        {"gates": 5, "verdict": {"reason": "?"}},
        {"gates": [5], "verdict": "well"},
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
    ("at", "problem"),
    [
        (("yesterday", "team/rec"), "'yesterday' is no time: write for example"),
        (("0001-01-01T00:00+14:00", "team/rec"), "is no time: write for example"),
        (("2026-11-21T12:05", "rec"), "'rec' names no ModelDeployment: write NAMESPACE/NAME"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused_by_value(
    at: tuple[str, str], problem: str, tmp_path: Path
):
    done = run(tmp_path, list(output()), "audit", "--at", *at)
    assert done.exit_code == 2
    assert problem in " ".join(done.stderr.split())


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


def test_before_the_first_decision_nobody_knows(tmp_path: Path):
    at = ("--at", "2020-01-01", "team/rec")
    done = run(tmp_path, list(output()), "audit", *at)
    assert "no decision about team/rec is as old as 2020-01-01" in str(done.exception)


def test_a_line_of_a_hostile_log_is_passed_over():
    deep = '{"event":' + "[" * 100_000
    assert own_line(f'{{"event": "decision"{deep}') is None
    assert own_line('{"message": "a decision was taken"}') is None
    assert own_line("decision {") is None
    assert own_line('{"event": {"decision": 1}}') is None
