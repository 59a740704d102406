"""An operator that is killed at any moment loses no message; it may send one twice.

Rollouts go on, the operator reconciles, sends, and dies, in any order; a status write may be lost.
At the end everything that became of a version was taken by every notifier that asked for it.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.notify.news import news_between
from pennant_operator.decide.notify.outbox import Delivery, deliveries
from pennant_operator.decide.plan import plan
from pennant_testing.memory.object_builders import NOW, REGISTRY, version
from pennant_testing.memory.receivers import notifier
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import crashed, fails
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

NOTIFYING = replace(REGISTRY, notifiers=(notifier(), notifier("teams", occasions=["Rejected"])))


class Turn(Enum):
    """What happens next."""

    RECONCILE = "the operator reconciles"
    WRITE_LOST = "it does, and its status is not written"
    SEND = "one message is taken"
    SEND_AND_DIE = "one is taken, and the operator dies"
    DIE = "the operator dies"
    NEXT_VERSION = "the alias moves on"
    BACK = "the alias moves back"
    BAD_VERSION = "the alias moves to what does not load"
    CRASH = "what serves crashes"


class Told:
    """What receivers took, and what there was to take."""

    def __init__(self) -> None:
        self.sim: Simulation = serving(7)
        self.sim.registry = NOTIFYING
        self.taken: set[Delivery] = set()
        self.wanted: set[Delivery] = set()
        self.newest = 7

    def do(self, turn: Turn) -> None:
        match turn:
            case Turn.RECONCILE:
                self.reconcile()
            case Turn.WRITE_LOST:
                status = self.sim.status
                self.sim.step()
                self.sim.owner = {**self.sim.owner, "status": status}
            case Turn.SEND | Turn.SEND_AND_DIE:
                self.send()
            case Turn.NEXT_VERSION | Turn.BAD_VERSION:
                self.newest += 1
                if turn is Turn.BAD_VERSION:
                    self.sim.behaviour[str(self.newest)] = fails("LoadFailed")
                self.sim.desired = version(self.newest)
            case Turn.BACK:
                self.sim.desired = version(7)
            case Turn.CRASH if self.sim.serving not in {None, "7"}:
                self.sim.behaviour[str(self.sim.serving)] = crashed(self.sim.now)
        if turn in {Turn.DIE, Turn.SEND_AND_DIE}:
            self.sim.sent = frozenset()

    def reconcile(self) -> None:
        """What the status that is written says is new must reach everybody who asked for it."""
        before = self.sim.status
        self.sim.step()
        for entry in news_between(before, self.sim.status, "uid-of-rec", NOW):
            asking = [n for n in NOTIFYING.notifiers if entry["occasion"] in n.occasions]
            self.wanted |= {(entry["id"], "default", each.name) for each in asking}
        self.sim.sent &= set(deliveries(self.sim.status))

    def send(self) -> None:
        left = [each for each in deliveries(self.sim.status) if each not in self.sim.sent]
        if left:
            self.taken.add(left[0])
            self.sim.sent |= {left[0]}


OFTEN = [*Turn, *[Turn.RECONCILE] * 12, *[Turn.SEND] * 3]


@given(st.lists(st.sampled_from(OFTEN), min_size=40, max_size=60))
@examples(60)
def test_killed_between_any_two_steps_it_loses_nothing(turns: list[Turn]):
    told = Told()
    for turn in turns:
        told.do(turn)
    for _ in range(24):
        told.do(Turn.RECONCILE)
        told.do(Turn.SEND)
    assert told.wanted <= told.taken
    assert deliveries(told.sim.status) == []


def test_what_is_written_at_once_with_a_transition_is_what_is_to_be_sent_of_it():
    """No plan moves `status.serving` and leaves its message for a later one."""
    sim = serving(7)
    sim.registry, sim.desired = NOTIFYING, version(8)
    for _ in range(8):
        decision = plan(sim.observe(), sim.now)
        if decision.status and decision.status["serving"]["version"] == "8":
            (entry,) = decision.status["notifications"]
            assert (entry["occasion"], entry["version"]) == ("Serving", "8")
        sim.step()
    assert sim.serving == "8"
