"""What is printed of a decision, and that nobody waits for it."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.plan import plan
from pennant_operator.decide.record.chain import Chain, line_digest, line_text
from pennant_operator.decide.record.cut import LINE_LIMIT_BYTES, cut_to_limit
from pennant_operator.decide.record.line import Decision, decision_line
from pennant_operator.decide.seen.observed import ModelVersion, Observed, Unknown
from pennant_operator.kube import ApiError
from pennant_operator.run import decisions
from pennant_operator.run.decisions import WAITING_DECISIONS_LIMIT, Decisions, to_standard_output
from pennant_registry.gates import VersionFacts
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.reconciled_world import KEY, ReconciledWorld, run_scenario
from pennant_testing.memory.recorded_decisions import PROCESS, printed, stories
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.running.generated_examples import examples
from pennant_testing.waiting import until

pytestmark = pytest.mark.unit


def promoted(number: int, by: str, at: str, *, of: str = "") -> ModelVersion:
    """A version on which `promote` wrote who moved the alias to it."""
    tags = {"by": by, "at": at, "as": of or f"news/{number}@production"}
    moves = {f"pennant.promoted-{name}.production": text for name, text in tags.items()}
    return replace(version(number), moves=moves)


def line_of(sim: Simulation) -> dict[str, Any]:
    """The decision that is made next."""
    seen = sim.observe()
    decided = plan(seen, sim.now)
    return decision_line(Decision(seen, sim.now, decided, decided, "done"))


def brief(lines: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_a_line_has_what_was_seen_what_was_decided_and_what_became_of_it():
    sim = alias_moved()
    sim.desired = promoted(8, "ann@laptop", "2026-11-21T12:04:00Z")
    (line, *_) = brief(printed(lambda: sim.run(1), full=False))
    assert line == {
        "event": "decision",
        "format": 1,
        "time": "2026-11-21T12:05:10.000Z",
        "object": {"namespace": "team", "name": "rec", "uid": "uid-of-rec"},
        "seen": {
            "registry": "default",
            "model": "news",
            "pointer": "alias production",
            "version": "8",
            "digest": "sha-of-8",
            "movedBy": "ann@laptop",
        },
        "verdict": {
            "summary": "RollingOut",
            "reason": "RollingOut",
            "message": line["verdict"]["message"],
        },
        "serving": {"version": "7", "revision": "5045afc7ef", "digest": "sha-of-7"},
        "writes": [
            "Create ControllerRevision/rec-1c309a1319",
            "Apply PodDisruptionBudget/rec-green",
            "Apply Deployment/rec-green",
        ],
        "statusChanged": True,
        "events": ["AliasMoved", "RolloutStarted"],
        "result": "done",
        "process": PROCESS,
        "line": 1,
        "before": None,
    }


@pytest.mark.parametrize(
    ("desired", "by"),
    [
        (promoted(8, "ann", "2026-11-21T12:04:00Z"), "ann"),
        (promoted(8, "ann", "2026-11-21T12:04:00Z", of="news/5@production"), "unknown"),
        (promoted(8, "ann", "2026-11-21T11:00:00Z"), "unknown"),  # 7 served after that
        (promoted(8, "ann", "yesterday"), "unknown"),
        (version(8), "unknown"),
        (Unknown("RegistryUnreachable", "it does not answer", NOW), "unknown"),
    ],
    ids=["promoted", "copied", "moved since", "no time", "by hand", "not known"],
)
def test_who_moved_it_is_named_where_the_record_is_of_this_move(desired: Any, by: str):
    sim = serving(7)
    sim.desired = desired
    assert line_of(sim)["seen"]["movedBy"] == by


def test_gates_are_listed_with_values_whether_they_let_it_through_or_not():
    sim = alias_moved()
    sim.specify(gates={"metrics": [{"name": "auc", "min": "0.5"}]})
    for auc, result in ((0.4, "Failed"), (0.7, "Passed")):
        sim.facts = {"8": VersionFacts("8", {"auc": auc})}
        (gate,) = line_of(sim)["gates"]
        named = {"gate": "metrics.auc.min", "result": result, "value": str(auc)}
        assert gate == named | {"bound": gate["bound"]}
        assert gate["bound"]


def test_an_answer_that_is_no_version_is_told_as_it_came():
    sim = serving(7)
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    seen = line_of(sim)["seen"]
    assert (seen["answer"], seen["reason"]) == ("Unknown", "RegistryUnreachable")
    assert "version" not in seen


def test_every_line_of_every_story_is_chained_and_has_room():
    lines = printed(stories)
    before = None
    for number, text in enumerate(lines, 1):
        line = json.loads(text)
        assert (line["process"], line["line"], line["before"]) == (PROCESS, number, before)
        assert line["event"] == "decision-input" or len(text) <= LINE_LIMIT_BYTES
        before = line_digest(line)


TEXT = st.text(st.characters(codec=None), max_size=3000)


@examples(200)
@given(message=TEXT, model=TEXT, names=st.lists(TEXT, max_size=40), error=TEXT)
def test_a_line_has_room_whatever_stands_in_it_and_is_json(message, model, names, error):
    line = line_of(serving(7)) | {
        "seen": {"model": model, "pointer": model, "message": message, "movedBy": model},
        "gates": [{"gate": name, "value": name, "bound": name} for name in names],
        "verdict": {"summary": "Held", "reason": "Held", "message": message},
        "writes": names,
        "events": names,
        "error": error,
    }
    after = f"{PROCESS}/{10**9}/{'f' * 64}"
    chained = Chain(PROCESS, 10**9, "f" * 64).link(line) | {"after": after}
    short = cut_to_limit(chained)
    assert len(line_text(short)) < LINE_LIMIT_BYTES
    assert json.loads(line_text(short)) == short
    assert (short == chained) is ("cut" not in short)
    assert all(short[name] == chained[name] for name in ("object", "serving", "process", "before"))


class Paper:
    """A standard output that takes what it is given, while it is asked to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.broken = False
        self.blocked = threading.Event()
        self.blocked.set()

    def write(self, data: bytes) -> None:
        assert self.blocked.wait(30)
        if self.broken:
            self.lines.append("half a li")
            raise BrokenPipeError("nobody reads it")
        self.lines.append(data.decode())


def decisions_of(world: ReconciledWorld, paper: Paper, *, full: bool = False) -> Decisions:
    """The world's decisions are printed there."""
    printer = Decisions(paper.write, PROCESS, full=full)
    world.reconciler = replace(world.reconciler, record=printer.record)
    return printer


def test_a_broken_standard_output_stops_nothing_and_the_next_line_says_what_is_lost(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.WARNING)
    paper = Paper()

    async def scenario(world: ReconciledWorld) -> None:
        printer, paper.broken = decisions_of(world, paper), True
        await world.handle()
        world.desired = version(8)
        await world.handle()
        until(lambda: len(paper.lines) == 2)
        printer.close()
        paper.broken = False
        for each in (Decision(*first_look(), result="done"),):
            printer.print(each)

    run_scenario(scenario)
    *halves, last = paper.lines
    assert halves == ["half a li"] * 2
    assert last.startswith("\n")
    assert json.loads(last) | {"lost": 2, "line": 1, "before": None} == json.loads(last)
    assert caplog.text.count("decisions are lost") == 1


def first_look() -> tuple[Observed, Any, Plan, Plan]:
    sim = alias_moved()
    seen = sim.observe()
    decided = plan(seen, sim.now)
    return seen, sim.now, decided, decided


def test_where_more_is_decided_than_is_taken_the_rest_is_lost_and_counted():
    paper, more = Paper(), 5
    printer, decision = (
        Decisions(paper.write, PROCESS, full=False),
        Decision(*first_look(), result="done"),
    )
    total = WAITING_DECISIONS_LIMIT + more + 1
    paper.blocked.clear()
    for _ in range(total):
        printer.record(decision)
    paper.blocked.set()

    def lost() -> list[int]:
        return [json.loads(line).get("lost", 0) for line in paper.lines]

    until(lambda: len(lost()) + sum(lost()) == total)
    assert max(lost()) in {more, more + 1}
    printer.close()


def test_standard_output_takes_a_line_whole_or_says_why_not(monkeypatch: pytest.MonkeyPatch):
    read, write = os.pipe()
    monkeypatch.setattr(decisions, "STANDARD_OUTPUT", write)
    to_standard_output(b"a line\n")
    assert os.read(read, 100) == b"a line\n"
    os.close(read)
    with pytest.raises(BrokenPipeError):
        to_standard_output(b"nobody reads it\n")
    os.close(write)
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OSError, match="it was closed"):
        to_standard_output(b"nor this\n")


@pytest.mark.parametrize("known", [f"{'ab' * 8}/17/{'c' * 64}", "x" * 5000, None])
def test_the_first_line_names_the_last_of_the_process_before_where_that_is_known(known: Any):
    paper, first = Paper(), Decision(*first_look(), result="done")
    printer = Decisions(paper.write, PROCESS, full=False)
    printer.predecessor = lambda: known
    for _ in range(2):
        printer.print(first)
    lines = brief(paper.lines)
    known_head = known if known and "/" in known else None
    assert [line.get("after") for line in lines] == [known_head, None]
    assert printer.head == f"{PROCESS}/2/{line_digest(lines[1])}"


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, "done"), (403, "refused"), (409, "conflict"), (500, "api")],
)
def test_what_became_of_it_is_in_its_line(status: int, result: str):
    paper = Paper()

    async def scenario(world: ReconciledWorld) -> None:
        printer = decisions_of(world, paper)
        world.api.fault = lambda method, path: (
            ApiError(status, "Reason", "the server's words")
            if status > 200 and method == "PATCH" and "/deployments/" in path
            else None
        )
        await world.handle()
        until(lambda: paper.lines)
        printer.close()

    run_scenario(scenario)
    (line,) = brief(paper.lines)
    assert line["result"] == result
    assert ("the server's words" in line.get("error", "")) is (status > 200)
    assert line["object"] == {"namespace": KEY[0], "name": KEY[1], "uid": "uid-of-rec"}


def test_a_settled_modeldeployment_prints_nothing_more():
    sim = alias_moved()
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(6)
    assert printed(lambda: sim.run(20), full=False) == []
