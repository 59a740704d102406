"""Several ModelDeployments in one line: so many roll out as may, whoever is killed, and all do."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.observe.cluster.rollouts import Rollouts
from pennant_testing.memory.fallible_operator import FallibleOperator, Fate
from pennant_testing.memory.law_checks import Laws
from pennant_testing.memory.object_builders import REGISTRY, version
from pennant_testing.memory.simulated_cluster import Simulation, serving

pytestmark = pytest.mark.unit

AT_ONCE = 2
FLEET = 5


@cache
def settled() -> Simulation:
    return serving(7)


class InLine(Laws):
    """The laws; and what a plan decided counts before any of it is written."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        super().__init__()
        self._fleet, self._number = fleet, number

    def decided(self, seen: Observed, decision: Plan, now: datetime) -> None:
        super().decided(seen, decision, now)
        key = ("team", f"rec-{self._number}")
        self._fleet.line.decided(key, "default", decision.status)


class Fleet:
    """Each serves version 7, and follows an alias that is at 8."""

    def __init__(self) -> None:
        self.operators = []
        for number in range(FLEET):
            world = copy.deepcopy(settled())
            world.registry = replace(REGISTRY, max_rollouts=AT_ONCE)
            world.desired = version(8)
            self.operators.append(FallibleOperator(world, InLine(self, number)))
        self.line = Rollouts()
        self.looks = 0

    def look(self, number: int, fate: Fate = Fate.ANSWERED, at: int = 0) -> None:
        operator = self.operators[number]
        self.looks += 1
        operator.fates = {operator.sent + at: fate}
        operator.world.turn = self.line.turn(("team", f"rec-{number}"), "default")
        operator.reconcile()
        operator.world.work()
        operator.hear()
        if fate in (Fate.KILLED_BEFORE, Fate.KILLED_AFTER):
            self.line = Rollouts()
            for each, other in enumerate(self.operators):
                other.restart()
                self._store(each)
        self._store(number)
        self.holds()

    def _store(self, number: int) -> None:
        self.line.saw(("team", f"rec-{number}"), "default", self.operators[number].owner)

    def holds(self) -> None:
        """By what is stored, and by what has pods without traffic or a bake."""
        with_places = [o for o in self.operators if "candidate" in o.world.status]
        assert len(with_places) <= AT_ONCE
        coming = [o for o in self.operators if o.world.serving == "7" and sum(_sizes(o)) > 2]
        assert len(coming) <= AT_ONCE


def _sizes(operator: FallibleOperator) -> list[int]:
    return list(operator.world.sizes().values())


def under_way(operator: FallibleOperator) -> bool:
    return operator.world.serving != "8" or "candidate" in operator.world.status


LOOKS = st.lists(
    st.tuples(st.integers(0, FLEET - 1), st.sampled_from(Fate), st.integers(0, 4)), max_size=25
)


@given(LOOKS)
def test_no_more_roll_out_than_may_and_none_is_left_behind(looks: list[Any]):
    fleet = Fleet()
    for number, fate, at in looks:
        fleet.look(number, fate, at)
    while waiting := [n for n, each in enumerate(fleet.operators) if under_way(each)]:
        assert fleet.looks < 500, "nobody goes on"
        for number in waiting:
            fleet.look(number)
    assert [operator.world.serving for operator in fleet.operators] == ["8"] * FLEET
    assert fleet.line.counts("default") == (0, 0)
