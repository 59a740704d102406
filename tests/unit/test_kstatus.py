"""When kstatus is caught saying what is not so, by states as a watch tells of them."""

from typing import Any

import pytest

from pennant_operator.decide.seen.observed import Refused, Unknown
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import fails, hangs
from pennant_testing.truth.kstatus import (
    CURRENT,
    FAILED,
    IN_PROGRESS,
    TERMINATING,
    Judge,
    VerdictTally,
    verdict,
)

pytestmark = pytest.mark.unit

NOT_ASKED = Unknown("WaitingForRegistry", "not asked yet")
MORE = {"serving": {"resources": {"limits": {"memory": "2Gi"}}}}


def thing(*conditions: str, generation: int = 1, seen: int = 1, **meta: Any) -> dict[str, Any]:
    """By conditions such as `Ready=True`."""
    as_dicts = [dict(zip(("type", "status"), each.split("="), strict=True)) for each in conditions]
    return {
        "metadata": {"generation": generation, **meta},
        "status": {"observedGeneration": seen, "conditions": as_dicts},
    }


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (thing("Ready=True", "Reconciling=False", "Stalled=False"), CURRENT),
        (thing("Ready=False", "Reconciling=False", "Stalled=False"), IN_PROGRESS),
        (thing("Ready=True", "Reconciling=True", "Stalled=False"), IN_PROGRESS),
        (thing("Ready=True", "Reconciling=False", "Stalled=True"), FAILED),
        (thing("Ready=True", "Reconciling=True", "Stalled=True"), IN_PROGRESS),
        (thing("Ready=True", generation=2), IN_PROGRESS),
        (thing("Ready=True", seen=-1), IN_PROGRESS),
        (thing("Ready=True", deletionTimestamp="2026-11-21T12:00:00Z"), TERMINATING),
        (thing(), CURRENT),
    ],
)
def test_what_kstatus_says(seen, expected):
    assert verdict(seen) == expected


class Watched:
    """A ModelDeployment's life, each state of which is judged."""

    def __init__(self, number: int = 7) -> None:
        self.sim = Simulation(version(number), owner=model_deployment())
        self.judge = Judge()
        self.goes_on(10)

    def goes_on(self, looks: int = 4, seconds: float = 60) -> None:
        for _ in range(looks):
            self.sim.step(seconds)
            self.judge.saw(self.sim.owner)

    def edits(self, **spec: Any) -> None:
        self.sim.specify(**spec)
        self.judge.saw(self.sim.owner)

    def says(self, **status: Any) -> str:
        """What is wrong with the same state, had its status said this."""
        planted = {**self.sim.owner, "status": {**self.sim.status, **status}}
        wrong = self.judge.saw(planted)
        return wrong.problem if wrong else ""

    def settled(self) -> str:
        """What is wrong with the same state, had its conditions said that all is well."""
        statuses = ("Ready=True", "Reconciling=False", "Stalled=False")
        conditions = [
            dict(zip(("type", "status"), each.split("="), strict=True)) for each in statuses
        ]
        generation = self.sim.owner["metadata"]["generation"]
        return self.says(observedGeneration=generation, conditions=conditions)


def test_nothing_is_wrong_with_a_life_in_which_the_status_is_honest():
    watched = Watched()
    watched.sim.behaviour["8"] = fails("LoadFailed")
    watched.sim.desired = version(8)
    watched.goes_on()
    assert watched.sim.status["summary"] == "Rejected"
    watched.edits(**MORE)
    watched.sim.behaviour.clear()
    watched.goes_on()
    watched.edits(suspend=True)
    watched.sim.desired = version(9)
    watched.goes_on()
    watched.edits(suspend=False, replicas=3)
    watched.goes_on(8)
    watched.sim.desired = Refused("SourceNotAllowed", "it is elsewhere")
    watched.goes_on()
    watched.sim.desired = NOT_ASKED
    watched.edits(model={"name": "news", "alias": "canary"})
    watched.goes_on()
    assert watched.judge.wrong == []
    assert watched.judge.judged > 10


def test_an_edit_that_is_called_done_before_it_is_judged_is_found():
    watched = Watched()
    watched.sim.desired = NOT_ASKED
    watched.edits(model={"name": "news", "alias": "canary"})
    assert "no version was found for" in watched.settled()
    assert watched.judge.wrong[0].verdict == CURRENT


def test_a_pod_change_that_is_called_done_while_the_old_revision_serves_is_found():
    watched = Watched()
    watched.sim.behaviour["7"] = hangs
    watched.edits(**MORE)
    assert watched.settled() == "what serves was begun for an earlier spec.serving"


def test_an_alias_move_that_is_called_done_while_the_old_version_serves_is_found():
    watched = Watched()
    watched.sim.behaviour["8"] = hangs
    watched.sim.desired = version(8)
    watched.goes_on(2, seconds=1)
    assert watched.settled() == "version 8 is asked for while 7 serves"


def test_a_pin_that_is_held_is_not_done_and_an_alias_that_is_held_may_be():
    watched = Watched()
    conditions = [c for c in watched.sim.status["conditions"] if c["type"] != "AliasInSync"]
    conditions.append({"type": "AliasInSync", "status": "False", "reason": "Held"})
    status = {"conditions": conditions, "desired": {"version": "8"}}
    assert watched.says(**status) == ""
    watched.edits(model={"name": "news", "version": "8"})
    pinned = {"resolved": {"registry": "default", "model": "news", "version": "8"}}
    watched.says(**status, **pinned)
    generation = watched.sim.owner["metadata"]["generation"]
    wrong = watched.says(**status, **pinned, observedGeneration=generation)
    assert wrong == "version 8 is asked for while 7 serves"


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        ({"candidate": {"version": "8", "retryTime": "2026-11-21T12:00:30Z"}}, ""),
        ({"gates": [{"gate": "tags.approved", "result": "Failed"}]}, ""),
        ({"candidate": {"version": "8"}}, "version 8 is asked for while 7 serves"),
    ],
)
def test_what_is_held_stays_so_while_the_registry_is_silent(held, wrong):
    watched = Watched()
    conditions = [c for c in watched.sim.status["conditions"] if c["type"] != "AliasInSync"]
    conditions.append({"type": "AliasInSync", "status": "Unknown", "reason": "RegistryUnreachable"})
    assert watched.says(conditions=conditions, desired={"version": "8"}, **held) == wrong


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"readyReplicas": 0}, "no pod answers"),
        ({"readyReplicas": 1}, "1 of 2 pods are ready"),
        ({"serving": None}, "nothing has the traffic"),
    ],
)
def test_what_does_not_answer_is_not_current(status, wrong):
    assert Watched().says(**status) == wrong


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("Rejected", "version 7 answers (Rejected)"),
        ("SourceNotAllowed", "version 7 answers (SourceNotAllowed)"),
        ("NotAllowed", ""),
        ("InvalidSpec", ""),
    ],
)
def test_nothing_but_what_only_a_person_can_have_realised_is_failed_while_a_version_answers(
    reason, wrong
):
    stalled = [{"type": "Stalled", "status": "True", "reason": reason}]
    assert Watched().says(conditions=stalled) == wrong
    nothing = {"serving": None, "readyReplicas": 0}
    assert Watched().says(conditions=stalled, **nothing) == ""


def test_the_last_line_tells_how_many_were_judged_and_how_many_were_wrong():
    watched = Watched()
    watched.says(readyReplicas=0)
    assert str(watched.judge.tally()) == f"{watched.judge.judged} statuses judged, 1 wrong"
    assert str(VerdictTally(5, 0).and_also([2, 1])) == "7 statuses judged, 1 wrong"
