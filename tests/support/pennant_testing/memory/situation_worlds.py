"""The situations of the truth table as worlds in memory, and what people do about them there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from pennant_operator.decide.seen.observed import PackageIndex, Turn, Unknown
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.why.change import Change, Means
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Holds
from pennant_testing.memory.edited_situations import PASTS, silent_since
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import (
    PodTemplate,
    becomes_ready,
    crashed,
    fails,
    hangs,
    stays_pending,
)
from pennant_testing.memory.situation_parts import (
    IN_REGISTRY,
    KNOWN,
    NO_ANSWER,
    SPECS,
    Case,
)
from pennant_testing.memory.situations import situation

MORE_MEMORY = {"resources": {"limits": {"memory": "2Gi"}}}
GATES = {
    "metrics": [{"name": "auc", "min": "0.8"}],
    "tags": [{"key": "approved", "value": "true"}],
}
ANSWERED = (*KNOWN, *NO_ANSWER, "nothing")
ALIAS = {"model": {"name": "news", "alias": "production"}}
BRAKED = replace(REGISTRY, braked=True)


def world_in(case: Case) -> Simulation:
    """The ModelDeployment has come to this situation, the way it comes about."""
    if case.spec in PASTS:
        return silent_since(PASTS[case.spec], case.desired)
    sim = copy.deepcopy(_serving(case.serving, _pointer(case)))
    if "earlier" in case.serving:
        sim.specify(serving=MORE_MEMORY)
    _CANDIDATES[case.candidate](sim)
    _answer_last(sim, case)
    sim.run(2)
    return sim


def _pointer(case: Case) -> str:
    """`stage` and `pinned` from the beginning; the rest is said once something serves."""
    return case.spec if case.spec in {"stage", "ScaleDown"} else "alias"


@cache
def _serving(serving: str, pointer: str) -> Simulation:
    number = 8 if serving.startswith("8") else 7
    sim = Simulation(version(number), owner=model_deployment(**SPECS[pointer]))
    if serving == "-":
        sim.desired = Unknown("WaitingForRegistry", "not asked yet")
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(2)
    if serving == "withdrawn":
        sim.specify(onAliasRemoved="ScaleDown")
        sim.desired = situation(Case("ScaleDown", "nothing", "-", "-")).desired
        sim.run(4)
    return sim


def _answer_last(sim: Simulation, case: Case) -> None:
    """The spec and the registry's answer, last."""
    sim.specify(**SPECS[case.spec])
    until = (sim.now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if case.spec == "on hold":
        sim.act("Hold", expiresAt=until)
    if case.spec == "pinned by an action":
        sim.act("Pin", version="8", expiresAt=until)
    sim.desired = _answer(case)


def _answer(case: Case) -> Any:
    known = {"8, now unreachable": "unreachable", "8, now hidden": "hidden"}
    name = known.get(case.desired, case.desired)
    return situation(case._replace(desired=name)).desired


def _comes(pods: PodTemplate, minutes: float = 0) -> Callable[[Simulation], None]:
    def befalls(sim: Simulation) -> None:
        sim.behaviour["8"] = pods
        sim.desired = version(8)
        sim.run(3)
        sim.now += timedelta(minutes=minutes)
        sim.run(3)

    return befalls


def _held_by_gates(sim: Simulation) -> None:
    sim.specify(gates=GATES)
    sim.facts["8"] = VersionFacts("8", {"auc": 0.7}, {})
    sim.desired = version(8)
    sim.run(2)


def _held_in_registry(sim: Simulation) -> None:
    hold = replace(IN_REGISTRY, since=NOW, until=sim.now + timedelta(days=1))
    sim.holds = Holds(whole=hold)
    sim.desired = version(8)
    sim.run(2)


def _braked(sim: Simulation) -> None:
    sim.registry = BRAKED


def _vanished(sim: Simulation) -> None:
    _braked(sim)
    sim.desired = version(8)
    sim.run(2)


def _in_line(sim: Simulation) -> None:
    sim.turn = Turn(REGISTRY.max_rollouts, 11)


def _crashed(back: PodTemplate, minutes: float = 0) -> Callable[[Simulation], None]:
    """In its bake; what served before is ready when that is seen, and fares so from then on."""

    def befalls(sim: Simulation) -> None:
        sim.behaviour["7"] = becomes_ready
        sim.desired = version(7)
        sim.run(8)
        sim.desired = version(8)
        sim.run(6)
        sim.behaviour["8"] = crashed(sim.now)
        sim.run(1)
        sim.behaviour["7"] = back
        sim.run(2)
        sim.now += timedelta(minutes=minutes)
        sim.run(2)

    return befalls


def _without_room(sim: Simulation) -> None:
    """A pod of version 6 does not end in the slot that is to take version 8."""
    slot = next(each for each in sim.pods if sim.active is None or each != sim.active[0])
    left = PodFacts("left", "left", "gone", "dead", sim.now, terminating=True, ends_by=None)
    sim.lacks.dead = "dead"
    sim.pods[slot] = [left]
    sim.desired = version(8)
    sim.run(3)


def _nine_comes(pods: PodTemplate, minutes: float = 0) -> Callable[[Simulation], None]:
    """The brake takes hold while version 9 comes up."""

    def befalls(sim: Simulation) -> None:
        sim.behaviour["9"] = pods
        sim.desired = version(9)
        sim.run(3)
        sim.now += timedelta(minutes=minutes)
        sim.run(2)
        _braked(sim)

    return befalls


def _starts(pods: PodTemplate, minutes: float = 0) -> Callable[[Simulation], None]:
    """By its tag version 7 was good here."""

    def befalls(sim: Simulation) -> None:
        sim.behaviour["7"], sim.last_good = pods, version(7)
        _comes(fails("LoadFailed"))(sim)
        sim.now += timedelta(minutes=minutes)
        sim.run(2)

    return befalls


_CANDIDATES: dict[str, Callable[[Simulation], None]] = {
    "-": lambda _: None,
    "8 comes up": _comes(hangs),
    "8 held": _comes(stays_pending, 31),
    "8 rejected": _comes(fails("LoadFailed")),
    "8 rejected, 7 comes up": _starts(hangs),
    "8 rejected, 7 held": _starts(stays_pending, 31),
    "8 held by gates": _held_by_gates,
    "8 held in the registry": _held_in_registry,
    "8 stopped by the brake": _braked,
    "8 in line": _in_line,
    "vanished with others": _vanished,
    "8 waits for room": _without_room,
    "8 stopped by the brake, 9 comes up": _nine_comes(hangs),
    "8 stopped by the brake, 9 held": _nine_comes(stays_pending, 31),
    "8 crashed, back to 7": _crashed(hangs),
    "8 crashed, 7 held": _crashed(hangs, 20),
}


def can_be_built(case: Case) -> bool:
    """What is not built differs from what is by nothing that a remedy depends on."""
    if case.candidate not in _CANDIDATES:
        return False
    if case.spec == "pinned by an action" and (
        case.candidate == "8 held in the registry" or case.desired not in ANSWERED
    ):  # what the registry refuses, or holds, it does for all
        return False
    # An operator that starts says what was said before.
    return case.desired != "not asked yet" or case.serving == "-" == case.candidate


def do(sim: Simulation, change: Change) -> None:
    """What a person does who reads the remedy, in that world."""
    _DEEDS[change.means](sim)


def what_comes_up_is_well(sim: Simulation) -> None:
    """Its pods get what they lacked, and become ready."""
    sim.behaviour = {}
    sim.lacks.dead = None


def _retry(sim: Simulation) -> None:
    what_comes_up_is_well(sim)
    sim.act("Retry", name="again")


def _elsewhere(sim: Simulation) -> None:
    what_comes_up_is_well(sim)
    sim.desired = version(9)
    if any(each["spec"]["action"] == "Pin" for each in sim.actions.values()):
        sim.act("Pin", name="other", version="9")
    if "version" in sim.owner["spec"]["model"]:
        sim.specify(model={"name": "news", "version": "9"})


def _edit_serving(sim: Simulation) -> None:
    what_comes_up_is_well(sim)
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})


def _end_holds(sim: Simulation) -> None:
    sim.actions = {n: a for n, a in sim.actions.items() if a["spec"]["action"] != "Hold"}


def _answers(sim: Simulation) -> None:
    sim.desired = version(sim.owner["spec"]["model"].get("version", 8))


def _allows(sim: Simulation) -> None:
    index = PackageIndex("https://packages.example/simple")
    sim.registry = replace(REGISTRY, index=index)
    _answers(sim)


def _resume(sim: Simulation) -> None:
    sim.registry = REGISTRY


def _wait(sim: Simulation) -> None:
    what_comes_up_is_well(sim)
    sim.now += timedelta(days=1, minutes=1)


_DEEDS: dict[Means, Callable[[Simulation], None]] = {
    Means.WAIT: _wait,
    Means.GATES: lambda sim: sim.facts.update(
        {each: VersionFacts(each, {"auc": 0.9}, {"approved": "true"}) for each in "89"}
    ),
    Means.APPROVE: lambda sim: (sim.act("Approve", version="8"), None)[1],
    Means.RELEASE: lambda sim: setattr(sim, "holds", Holds()),
    Means.END_HOLD: _end_holds,
    Means.UNSUSPEND: lambda sim: sim.specify(suspend=False),
    Means.SCALE: lambda sim: sim.specify(replicas=1),
    Means.RETRY: _retry,
    Means.EDIT_SERVING: _edit_serving,
    Means.ELSEWHERE: _elsewhere,
    Means.REGISTRY_ANSWERS: _answers,
    Means.REGISTRY_ALLOWS: _allows,
    Means.RESUME: _resume,
    Means.TURN: lambda sim: setattr(sim, "turn", Turn()),
    Means.PODS: what_comes_up_is_well,
    Means.MAKE_ROOM: what_comes_up_is_well,
}
