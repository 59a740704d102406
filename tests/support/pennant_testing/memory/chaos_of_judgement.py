"""What keeps a version back in the chaos (chaos.py): gates, a brake, a line, bad answers."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from pennant_operator.decide.seen.observed import Turn
from pennant_registry.gates import NO_GATES, VersionFacts, parse
from pennant_testing.memory.chaos_of_people import LOOKS, NUMBERS, SECONDS, ChaosOfPeople
from pennant_testing.memory.object_builders import REGISTRY
from pennant_testing.memory.simulated_answers import ANSWERED


class ChaosOfJudgement(ChaosOfPeople):
    """A world in which versions are judged, too."""

    @rule(
        whose=st.sampled_from(["nobody's", "its own", "its registry's"]),
        number=NUMBERS,
        approved=st.sampled_from(["true", "", None]),
        looks=LOOKS,
        seconds=SECONDS,
    )
    def gates_ask(self, whose: Any, number: Any, approved: Any, looks: Any, seconds: Any) -> None:
        """Whether a version is approved; None: nobody can tell."""
        asks, world = {"tags": [{"key": "approved", "value": "true"}]}, self.world
        world.specify(gates=asks if whose == "its own" else {})
        floor = parse(asks) if whose == "its registry's" else NO_GATES
        world.registry = replace(world.registry or REGISTRY, gates=floor)
        world.facts.pop(number, None)
        if approved is not None:
            world.facts[number] = VersionFacts(number, tags={"approved": approved})
        self.goes_on(looks, seconds)

    @rule(braked=st.booleans(), others=st.sampled_from([0, 19, 20, 30]), ahead=st.integers(0, 2),
          looks=LOOKS, seconds=SECONDS)  # fmt: skip
    def its_registry_holds_back(
        self, braked: Any, others: Any, ahead: Any, looks: Any, seconds: Any
    ) -> None:
        """By its brake, or because that many others come up."""
        self.world.registry = replace(self.world.registry or REGISTRY, braked=braked)
        self.world.turn = Turn(others, ahead)
        self.goes_on(looks, seconds)

    @rule(number=NUMBERS, what=st.sampled_from(list(ANSWERED)), looks=LOOKS)
    def pods_report(self, number: Any, what: Any, looks: Any) -> None:
        """How a version answers; pods that were never asked can be from now on."""
        self.world.answers[number] = ANSWERED[what]
        self.goes_on(looks)

    @rule(check=st.sampled_from(["On", "Off"]), looks=LOOKS)
    def answers_are_judged(self, check: Any, looks: Any) -> None:
        rollout = {**self.world.owner["spec"]["rollout"], "answers": {"check": check}}
        self.world.specify(rollout=rollout)
        self.goes_on(looks)
