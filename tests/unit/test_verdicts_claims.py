"""What is said of a pod that lacks a claim: which, and what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.candidate.trouble import serving_trouble
from pennant_operator.decide.candidate.verdicts import Trial, judge
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.spec import Deadlines
from pennant_operator.decide.verdict import Held, Waiting
from pennant_operator.decide.vocabulary import Reason
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

CLAIMS = ("model-cache",)
WAITING = PodFacts(name="p1", uid="1", revision="r", node=None, created=NOW, claims=CLAIMS)


def trial(pod: PodFacts) -> Trial:
    ten = timedelta(minutes=10)
    return Trial((pod,), 1, since=NOW, ever_ready=False, deadlines=Deadlines(ten, ten, ten))


@pytest.mark.parametrize(
    "words",
    [
        '0/2 nodes are available: persistentvolumeclaim "model-cache" not found.',
        "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
        "0/2 nodes are available: 2 node(s) had volume node affinity conflict.",
        "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
    ],
)
def test_a_claim_that_keeps_pods_from_nodes_is_named_with_what_to_do(words):
    pod = replace(WAITING, unschedulable=words)
    verdict = judge(trial(pod), NOW + timedelta(minutes=11))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.UNSCHEDULABLE
    assert f"{words.rstrip('.')}: see that claim model-cache is there and bound" in verdict.message
    assert "make room" not in verdict.message


def test_nodes_that_are_full_want_room_whatever_else_the_scheduler_says():
    words = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had volume node affinity"
    pod = replace(WAITING, unschedulable=words)
    verdict = judge(trial(pod), NOW)
    assert isinstance(verdict, Waiting)
    assert "make room" in verdict.message


def test_a_pod_whose_volumes_do_not_come_says_which_claim_is_among_them():
    late = replace(WAITING, node="node-1", scheduled=NOW, mounting=True)
    verdict = judge(trial(late), NOW + timedelta(minutes=11))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.DEADLINE_EXCEEDED
    assert "pod p1 waits on node node-1 for its volumes, among them claim model-cache" in (
        verdict.message
    )
    assert serving_trouble((late,), None, None) in verdict.message
    assert serving_trouble((replace(late, claims=()),), None, None) == "pod p1 is starting"
