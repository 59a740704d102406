"""What people do to a rollout in the chaos (chaos.py): RolloutActions that come and go."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pennant_operator.decide.times import format_time
from pennant_testing.memory.fallible_operator import FallibleOperator
from pennant_testing.memory.simulated_cluster import Simulation

LOOKS = st.sampled_from([3, 1, 8, 0])  # how often all goes well after something happened
SECONDS = st.sampled_from([1, 130, 40, 700, 2000])
NUMBERS = st.sampled_from("897")


class ChaosOfPeople(RuleBasedStateMachine):
    """A world, its operator, and people who act on a rollout and think otherwise."""

    def __init__(self, world: Simulation) -> None:
        super().__init__()
        self.world = world
        self.operator = FallibleOperator(self.world)

    def goes_on(self, looks: int, seconds: int = 1) -> None:
        """The operator and the cluster work hand in hand, then time passes."""
        for _ in range(looks):
            self.operator.reconcile()
            self.world.work()
            self.operator.hear()
            self.world.now += timedelta(seconds=1)
        self.world.now += timedelta(seconds=seconds)

    @rule(
        act=st.sampled_from(["Pin", "Hold", "Approve", "Abort", "Retry"]),
        number=NUMBERS,
        named=st.booleans(),
        minutes=st.sampled_from([None, 1, 30]),
        looks=LOOKS,
        seconds=SECONDS,
    )
    def a_person_acts(
        self, act: Any, number: Any, named: Any, minutes: Any, looks: Any, seconds: Any
    ) -> None:
        """By a RolloutAction, of which the operator hears in its own time."""
        spec = {"version": number} if act in {"Pin", "Approve"} else {}
        if named and act in {"Abort", "Retry"}:
            spec = {"version": number}
        if minutes is not None:
            spec["expiresAt"] = format_time(self.world.now + timedelta(minutes=minutes))
        self.world.counter += 1
        self.world.act(act, name=f"{act.lower()}-{self.world.counter}", **spec)
        self.goes_on(looks, seconds)

    @rule(looks=LOOKS)
    def a_person_thinks_otherwise(self, looks: Any) -> None:
        """The oldest RolloutAction is deleted."""
        for name in list(self.world.actions)[:1]:
            del self.world.actions[name]
        self.goes_on(looks)
