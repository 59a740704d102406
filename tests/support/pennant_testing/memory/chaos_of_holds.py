"""Somebody holds an alias or a version in the registry, and releases it, at any time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pennant_operator.decide.seen.observed import Unknown
from pennant_registry.hold_form import holds_among
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation

KEYS = ("production", "production.8", "production.9", "canary")
TEXTS = (
    "a person writes why",
    None,
    '{"reason": "until soon", "until": "2026-11-21T13:00:00Z"}',
    '{"reason": "but for one", "except": ["9"]}',
    "{",
)


class ChaosOfHolds(RuleBasedStateMachine):
    """The part of the chaos that the tags of a registered model are."""

    world: Simulation

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, str] = {}

    def goes_on(self, looks: int, seconds: int = 1) -> None:
        """As the chaos has it."""
        raise NotImplementedError

    @rule(
        key=st.sampled_from(KEYS),
        text=st.sampled_from(TEXTS),
        number=st.sampled_from(["8", "9", "7", None]),
        looks=st.sampled_from([3, 1, 8, 0]),
        seconds=st.sampled_from([1, 130, 2000]),
    )
    def somebody_holds_or_releases(
        self, key: Any, text: Any, number: Any, looks: Any, seconds: Any
    ) -> None:
        """And somebody else moves the alias at the same moment; without a text it is released."""
        if number:
            self.world.desired = version(number, tag=number != "8")
        self.tags[f"pennant.hold.{key}"] = text
        if text is None:
            del self.tags[f"pennant.hold.{key}"]
        self.goes_on(looks, seconds)

    def the_operator_is_told_of_holds(self) -> None:
        """With any answer of the registry; who has just begun knows none before."""
        if not isinstance(self.world.desired, Unknown):
            alias = self.world.owner["spec"]["model"].get("alias", "")
            self.world.holds = holds_among(self.tags, alias)

    def nothing_is_known_of_holds(self) -> None:
        """An operator has just begun."""
        self.world.holds = None
        self.the_operator_is_told_of_holds()
