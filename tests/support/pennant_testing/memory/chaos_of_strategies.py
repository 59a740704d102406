"""How a version takes over in the chaos (chaos.py): any strategy, and what people do to it."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from pennant_operator.decide.seen.actions import Act
from pennant_operator.decide.traffic.strategies import STRATEGIES
from pennant_testing.memory.chaos_of_judgement import ChaosOfJudgement
from pennant_testing.memory.chaos_of_people import LOOKS, SECONDS
from pennant_testing.memory.convergence import TEMPORARY
from pennant_testing.memory.simulated_answers import answered

STRATEGY = st.sampled_from([str(name) for name in STRATEGIES])
BESIDE: tuple[dict[str, Any], ...] = (
    {},
    {"rolling": {"maxSurge": 0, "maxUnavailable": 1}},
    {"rolling": {"maxSurge": "50%", "maxUnavailable": "50%"}},
    {"rolling": {"maxSurge": "10%", "maxUnavailable": "10%"}},
    {"autoAfter": "30s"},
    {"canary": {"steps": [{"weight": "1", "pause": "5s"}, {"weight": "50", "pause": "1m"}]}},
    {"canary": {"steps": [{"weight": "30"}], "by": {"header": "x-user-id"}}},
    {"lobby": {"maxWait": "5s"}},
)
SHARES = (
    "",
    "{",
    json.dumps({"handOver": {"to": "elsewhere:80", "revision": "abc123", "percent": "90"}}),
)
SHORT = {"steps": [{"weight": "10", "pause": "5s"}, {"weight": "60", "pause": "5s"}]}


class ChaosOfStrategies(ChaosOfJudgement):
    """A world whose person thinks otherwise of how versions take over."""

    def take_over_by(self, name: str, beside: dict[str, Any]) -> None:
        """Nothing else of the spec changes."""
        fields = {"strategy", "rolling", "canary", "lobby", "autoAfter"}
        rollout = self.world.owner["spec"]["rollout"]
        others = {field: value for field, value in rollout.items() if field not in fields}
        self.world.specify(rollout={**others, "strategy": name, **beside})

    @rule(name=STRATEGY, beside=st.sampled_from(BESIDE), looks=LOOKS)
    def the_strategy_changes(self, name: Any, beside: Any, looks: Any) -> None:
        self.take_over_by(name, beside)
        self.goes_on(looks)

    @rule(what=st.sampled_from(TEMPORARY), hears=st.booleans(), looks=LOOKS)
    def somebody_deletes_what_is_there_while_it_moves(
        self, what: Any, hears: Any, looks: Any
    ) -> None:
        if self.world.children.pop(what, None) and hears:
            self.operator.hear()
        self.goes_on(looks)

    @rule(starts=st.booleans(), looks=LOOKS, seconds=SECONDS)
    def the_lobby_starts(self, starts: Any, looks: Any, seconds: Any) -> None:
        self.world.lacks.lobby = not starts
        self.goes_on(looks, seconds)

    @rule(text=st.sampled_from(SHARES), looks=LOOKS)
    def somebody_edits_weights(self, text: Any, looks: Any) -> None:
        """Of the pods of both slots."""
        for slot, pods in self.world.pods.items():
            self.world.pods[slot] = [replace(pod, shares=text) for pod in pods]
        self.goes_on(looks)

    @rule(
        act=st.sampled_from([name for name in ("Skip", "Promote") if name in {*Act}] or ["Abort"]),
        looks=LOOKS,
        seconds=SECONDS,
    )
    def a_person_goes_on(self, act: Any, looks: Any, seconds: Any) -> None:
        self.world.counter += 1
        self.world.act(act, name=f"{act.lower()}-{self.world.counter}")
        self.goes_on(looks, seconds)

    def nobody_waits_for_a_person(self) -> None:
        """What is judged is judged well, and soon."""
        self.world.lacks.lobby = False
        rollout = self.world.owner["spec"]["rollout"]
        if rollout.get("strategy") == "Canary":
            self.take_over_by("Canary", {"canary": SHORT})
            self.world.answers = {number: answered(100) for number in (*"789", *self.world.answers)}
