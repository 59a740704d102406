"""`why`: every situation in which what serves is not what is desired, and what would change it."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest

from pennant_operator.decide.seen.observed import ModelVersion, Observed, Unknown
from pennant_operator.decide.why.answer import WAYS, Answer, why
from pennant_operator.decide.why.change import Change, Means
from pennant_operator.decide.why.told import NOT_TOLD, REFUSED, SILENT
from pennant_testing.memory.canaries import BY_HAND, at_first_step, canary
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, stays_pending
from pennant_testing.memory.situation_parts import Case
from pennant_testing.memory.situation_worlds import (
    can_be_built,
    do,
    what_comes_up_is_well,
    world_in,
)
from pennant_testing.memory.situations import table

pytestmark = pytest.mark.unit

STEADY = {"-", "withdrawn", "7", "7 of an earlier spec", "8 of an earlier spec"}
BEHIND = SILENT | NOT_TOLD | REFUSED  # then nobody tells what else is in the way


def out_of_sync() -> Iterator[Case]:
    """Those that can be told apart by what would change them: how many pods are ready cannot."""
    for case, said in table().items():
        steady = case.serving in STEADY or (case.serving == "8" and "crashed," in case.candidate)
        built = steady and can_be_built(case)
        if built and said.conditions["AliasInSync"]["status"] != "True":
            yield case


def paired() -> list[Case]:
    """So many of them that each two names of parts which occur together do so in one."""
    left = {case: set(combinations(enumerate(case), 2)) for case in out_of_sync()}
    chosen = []
    while left:
        case = max(left, key=lambda each: len(left[each]))
        pairs = left.pop(case)
        chosen.append(case)
        left = {each: rest for each, names in left.items() if (rest := names - pairs)}
    return chosen


CASES = paired()


def seen_by_a_user(sim: Simulation) -> Observed:
    """By Kubernetes' rights alone: nobody asks the registry, and its ModelRegistry is not read."""
    return replace(
        sim.observe(),
        desired=Unknown("", ""),
        registry=None,
        gate_facts=None,
        holds=None,
        reports=None,
    )


def asked(sim: Simulation) -> Answer:
    return why(seen_by_a_user(sim), sim.now)


def follow(sim: Simulation, answer: Answer, changes: tuple[Change, ...]) -> Simulation:
    """It is done in a world like this one, where what comes up does come up."""
    after = copy.deepcopy(sim)
    if answer.gives_up is not None:
        what_comes_up_is_well(after)
    for change in changes:
        do(after, change)
        after.run(2)
    after.run(10)
    return after


def in_sync(sim: Simulation) -> bool:
    return sim.condition("AliasInSync")[0] == "True"


@pytest.mark.parametrize("case", CASES, ids=lambda case: "; ".join(case))
def test_each_remedy_of_each_situation_gives_the_desired_version_the_traffic(case: Case):
    sim = world_in(case)
    said = table()[case].conditions["AliasInSync"]
    assert sim.condition("AliasInSync") == (said["status"], said["reason"])
    answer = asked(sim)
    assert answer.remedies or answer.gives_up
    for remedy in answer.remedies:
        after = follow(sim, answer, remedy.changes)
        if not in_sync(after) and answer.reason in BEHIND:
            then = asked(after)
            after = follow(after, then, then.remedies[0].changes if then.remedies else ())
        assert in_sync(after), [change.what for change in remedy.changes]
        assert isinstance(after.desired, ModelVersion)
        assert after.serving == after.desired.version


def test_what_cannot_be_understood_is_to_be_corrected():
    sim = serving(7)
    sim.specify(rollout={"bake": "2 minutes"})
    sim.run(2)
    answer = asked(sim)
    assert answer.reason == "InvalidSpec"
    assert [remedy.changes[0].means for remedy in answer.remedies] == [Means.CORRECT_SPEC]


def test_who_can_change_what_no_registry_says_is_named():
    sim = serving(7)
    sim.specify(serving={"python": "3.9"})
    sim.desired = version(8)
    sim.run(4)
    answer = asked(sim)
    assert answer.reason == "ConfigurationError"
    assert "or of the operator" in answer.remedies[0].changes[0].what


@pytest.mark.parametrize(
    ("follows", "typed"),
    [
        ({"alias": "production"}, ["my news; ls/VERSION", "--alias", "production"]),
        ({"stage": "Production"}, ["my news; ls/VERSION", "--stage", "Production"]),
    ],
)
def test_what_is_to_be_typed_is_one_command_whatever_the_model_is_called(
    follows: dict[str, str], typed: list[str]
):
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(6)
    sim.owner["spec"]["model"] = {"name": "my news; ls", **follows}
    (command,) = asked(sim).remedies[0].changes[0].commands
    assert shlex.split(command) == ["pennant", "promote", *typed]


def test_a_name_that_somebody_has_is_to_be_freed():
    sim = alias_moved()
    sim.somebody_has("ConfigMap/rec-registry")
    sim.run(2)
    answer = asked(sim)
    assert answer.reason == "NameConflict"
    assert [remedy.changes[0].means for remedy in answer.remedies] == [Means.FREE_NAME]


def test_what_comes_up_has_a_deadline_and_it_is_the_one_that_holds_it():
    sim = alias_moved(pods=stays_pending)
    sim.run(4)
    answer = asked(sim)
    assert answer.gives_up is not None
    assert [remedy.changes[0].means for remedy in answer.remedies] == [Means.PODS]
    assert "insufficient cpu" in answer.remedies[0].changes[0].what
    sim.now = answer.gives_up - timedelta(seconds=2)
    sim.run(1)
    assert sim.status["summary"] == "RollingOut"
    sim.run(3)
    assert sim.status["summary"] == "Held"


def test_a_closed_window_is_waited_for_and_no_approval_opens_it():
    sim = serving(7)
    sim.specify(gates={"closed": [{"cron": "0 0 * * *", "for": "23h"}]})
    sim.desired = version(8)
    sim.run(2)
    answer = asked(sim)
    (remedy,) = answer.remedies
    assert remedy.changes[0].what == "wait until 2026-11-21T23:00:00Z"


def test_what_served_keeps_serving_and_is_in_sync_needs_no_change():
    answer = asked(serving(7))
    assert (answer.in_sync, answer.remedies, answer.gives_up) == (True, (), None)


def test_every_reason_of_the_truth_table_has_a_way_out():
    reasons = {
        str(said.conditions["AliasInSync"]["reason"])
        for said in table().values()
        if said.conditions["AliasInSync"]["status"] != "True"
    }
    assert reasons <= WAYS.keys()


def test_a_step_of_a_canary_has_no_deadline_and_a_person_may_go_on():
    answer = asked(at_first_step(canary(steps=BY_HAND)))
    assert answer.gives_up is None
    (remedy,) = answer.remedies
    assert remedy.changes[0].commands == ("kubectl pennant promote rec -n team --reason WHY",)
