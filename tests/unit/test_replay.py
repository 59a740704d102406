"""What was recorded can be decided anew: exactly so by the same version, and else it shows."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from pennant_cli.decisions.log_lines import LogLine
from pennant_cli.decisions.replay import Replay, replay
from pennant_operator.decide import plan as planning
from pennant_operator.decide.candidate import verdicts
from pennant_operator.decide.goal import brake, goal
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.manifests import pod
from pennant_operator.decide.plan import plan
from pennant_operator.decide.record.codec import decode, encode
from pennant_operator.decide.record.inputs import plan_text, recorded_input
from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.world import World
from pennant_testing.memory.chaos import Chaos
from pennant_testing.memory.recorded_decisions import inputs, printed, stories, watched
from pennant_testing.memory.simulated_cluster import alias_moved, serving
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit


@functools.cache
def recorded() -> tuple[str, ...]:
    """The standard output of an operator with PENNANT_DECISIONS=full."""
    return tuple(printed(stories))


def replayed(lines: tuple[str, ...]) -> Replay:
    return replay(LogLine("log", n, json.loads(line)) for n, line in enumerate(lines, 1))


def same_again(observed: Observed, now: datetime, decided: Plan) -> None:
    text = json.dumps(encode(observed))
    again = json.loads(text, object_hook=decode)
    assert again == observed
    assert json.dumps(encode(again)) == text
    assert plan_text(plan(again, now)) == plan_text(decided)


class RecordedChaos(Chaos):
    """Each decision in a world that does as it likes is written, read and made again."""

    def __init__(self) -> None:
        self.watching = watched(same_again)
        self.watching.__enter__()
        super().__init__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.watching.__exit__(None, None, None)


TestRecordedChaos = RecordedChaos.TestCase
TestRecordedChaos.settings = settings(
    examples(10), stateful_step_count=12, suppress_health_check=list(HealthCheck)
)


def test_the_version_that_recorded_them_decides_all_of_them_the_same_to_the_byte():
    report = replayed(recorded())
    assert report.same == len(inputs(list(recorded()))) > 60
    assert (report.others, report.unreadable) == ([], [])


def test_nothing_is_printed_of_a_pass_of_which_nothing_follows():
    sim = alias_moved()
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(6)
    assert printed(lambda: sim.run(5), full=False) == []


def test_where_it_rests_is_recorded_once_for_an_upgrade_must_leave_it_alone():
    sim = serving(7)
    (line,) = printed(lambda: sim.run(5))
    assert json.loads(line)["event"] == "decision-input"


def test_no_input_holds_what_a_notifier_is_sent_for_that_may_have_a_key_in_it():
    sim = alias_moved()
    notify = {"name": "pager", "urlSecret": {"name": "s"}, "template": '{"routing_key": "r0k3y"}'}
    spec = {"url": "http://mlflow.example", "notify": [notify]}
    sim.registry = parse_registry({"metadata": {"name": "default"}, "spec": spec}).facts()
    (*_, line) = inputs(printed(lambda: sim.run(4)))
    given = json.dumps(encode(recorded_input(line).observed))
    assert '"pager"' in given
    assert "r0k3y" not in given


def test_no_input_holds_a_secret_nor_does_the_plan_that_has_one_made():
    packed = [recorded_input(line) for line in inputs(list(recorded()))]
    assert any('"CreateToken"' in each.plan_text for each in packed)
    for each in packed:
        given = json.dumps(encode(each.observed))
        assert '"kind": "Secret"' not in given
        assert "stringData" not in given + each.plan_text  # the token is drawn by `act`


def one_ready_pod_is_enough(trial: verdicts.Trial) -> list[Any]:
    return [pod for pod in trial.pods if pod.ready]


def without_disruption_budget(step: Any, moves: Any) -> Any:
    from pennant_operator.decide.traffic.writes import writes_for

    budget = "PodDisruptionBudget"
    writes = writes_for(step, moves)
    return [w for w in writes if getattr(w, "manifest", {}).get("kind") != budget]


def no(*_: Any, **__: Any) -> bool:
    return False


CHANGES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "one ready pod is enough": (verdicts, "_proving_pods", one_ready_pod_is_enough),
    "bytes are not compared": (
        verdicts,
        "_verdict_on_digests",
        lambda digests, *_: verdicts.Passed(min(digests)),
    ),
    "no version is rejected": (verdicts, "_rejection", lambda _: None),
    "a hold is ignored": (goal, "hold_on", lambda *_: None),
    "gates are ignored": (goal, "holding_gates", lambda *_: ()),
    "the brake is ignored": (brake, "brake_stops", no),
    "nobody waits in line": (goal, "waits_in_line", no),
    "rejections are forgotten": (planning, "still_rejected", lambda *_: []),
    "there is no bake": (World, "baking", no),
    "a removed alias changes nothing": (goal, "_releases", no),
    "what crashes in its bake stays": (planning, "way_back_from_bake", lambda _: None),
    "what waits is tried at once": (planning, "is_parked", no),
    "no budget for disruptions": (planning, "writes_for", without_disruption_budget),
    "pods have another grace": (pod, "GRACE_SECONDS", 60),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_behaviour_is_seen_before_the_upgrade(
    change: str, monkeypatch: pytest.MonkeyPatch
):
    lines = recorded()
    monkeypatch.setattr(*CHANGES[change])
    report = replayed(lines)
    assert report.others
    assert report.same
    assert report.unreadable == []
