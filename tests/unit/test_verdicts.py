"""Whose fault it is, and when that is certain."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.candidate.bake import crashed_in_bake
from pennant_operator.decide.candidate.environments import Installing
from pennant_operator.decide.candidate.faults import reason_of
from pennant_operator.decide.candidate.verdicts import Trial, judge
from pennant_operator.decide.seen.environment import environment_from_report
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.spec import Deadlines
from pennant_operator.decide.seen.termination import KILLED, NODE_ENDED, Failure
from pennant_operator.decide.verdict import Held, Passed, Rejected, Waiting
from pennant_operator.decide.vocabulary import Reason
from pennant_testing.memory.object_builders import NOW, installed

pytestmark = pytest.mark.unit

DEADLINES = Deadlines(
    schedule=timedelta(minutes=30), fetch=timedelta(minutes=10), load=timedelta(minutes=5)
)
LOADED = PodFacts(
    name="p1",
    uid="1",
    revision="r",
    node="node-1",
    created=NOW,
    scheduled=NOW,
    fetched=NOW,
    digest="d",
    ready=True,
)
LOADING = replace(LOADED, ready=False)


def trial(*pods: PodFacts, replicas: int = 2, **fields) -> Trial:
    given = {"since": NOW, "short_since": NOW, "ever_ready": False, "deadlines": DEADLINES}
    given |= fields
    return Trial(pods=pods, replicas=replicas, **given)


def failing(reason: str, *, node: str = "node-1", attempts: int = 1, container: str = "serve"):
    return replace(
        LOADING,
        node=node,
        attempts=attempts,
        failure=Failure(container, reason, "it does not load", 1),
    )


def test_a_bundle_that_its_volume_may_not_hold_is_held_although_it_is_ready():
    full = replace(LOADED, overfull="the bundle has 9 bytes, spec.serving.storage.size is 8")
    verdict = judge(trial(LOADED, full), NOW)
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.CONFIGURATION_ERROR
    assert verdict.message.endswith("is 8: its pods would be evicted; raise it")


def test_all_ready_with_one_digest_passes():
    assert judge(trial(LOADED, LOADED), NOW) == Passed("d")


def test_one_attempt_on_each_of_two_nodes_is_the_models_fault():
    verdict = judge(trial(failing("LoadFailed"), failing("LoadFailed", node="node-2")), NOW)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.LOAD_FAILED


def test_many_attempts_on_one_of_two_nodes_may_be_the_nodes_fault():
    pods = (failing("LoadFailed", attempts=5), replace(LOADING, node="node-2"))
    assert isinstance(judge(trial(*pods), NOW), Waiting)


def test_two_attempts_on_the_only_node_are_enough():
    verdict = judge(trial(failing("SelfTestFailed", attempts=2), replicas=1), NOW)
    assert isinstance(verdict, Rejected)


def test_a_revision_that_was_ready_once_is_not_rejected_for_loading():
    pods = (failing("LoadFailed", attempts=3), failing("LoadFailed", node="node-2", attempts=3))
    assert not isinstance(judge(trial(*pods, ever_ready=True), NOW), Rejected)


def test_a_failed_download_is_the_worlds_fault_and_waits_for_its_deadline():
    pod = replace(failing("DownloadFailed", container="fetch", attempts=9), fetched=None)
    assert isinstance(judge(trial(pod, pod), NOW + timedelta(minutes=9)), Waiting)
    verdict = judge(trial(pod, pod), NOW + timedelta(minutes=10))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.DOWNLOAD_FAILED


def test_a_missing_bundle_is_the_models_fault():
    pod = replace(failing("BundleMissing", container="fetch", attempts=2), fetched=None)
    assert isinstance(judge(trial(pod, replicas=1), NOW), Rejected)


def test_no_pods_at_all_names_what_the_deployment_says():
    shortage = 'exceeded quota: "compute"'
    verdict = judge(trial(shortage=shortage), NOW + timedelta(minutes=31))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.QUOTA_EXCEEDED
    assert shortage in verdict.message
    assert "ResourceQuota" in verdict.message


def test_pods_that_may_not_be_made_for_another_reason_are_no_matter_of_quota():
    message = 'pods "rec-blue-" is forbidden: error looking up service account team/models'
    verdict = judge(trial(shortage=message), NOW + timedelta(minutes=31))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.CONFIGURATION_ERROR


def test_an_eviction_waits_for_the_pod_that_takes_its_place():
    evicted = {"evicted": "Evicted: low on memory"}
    assert isinstance(judge(trial(LOADED, **evicted), NOW), Waiting)
    verdict = judge(trial(LOADED, **evicted), NOW + timedelta(minutes=31))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.EVICTED


def test_pods_that_are_evicted_one_after_the_other_say_so_when_time_is_up():
    young = replace(LOADING, fetched=NOW + timedelta(minutes=44))
    evicted = {"evicted": "Evicted: usage exceeds the limit of 32Mi"}
    verdict = judge(trial(young, young, **evicted), NOW + timedelta(minutes=45))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.EVICTED
    assert "(Evicted: usage exceeds the limit of 32Mi), another" in verdict.message


def test_a_pod_that_is_late_by_itself_does_not_blame_an_earlier_eviction():
    verdict = judge(trial(LOADING, LOADING, evicted="Evicted: x"), NOW + timedelta(minutes=6))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.DEADLINE_EXCEEDED


def test_a_rebooted_node_is_not_the_models_fault():
    pods = (failing(NODE_ENDED, attempts=4), failing(NODE_ENDED, node="node-2", attempts=4))
    verdict = judge(trial(*pods), NOW + timedelta(minutes=6))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.EVICTED


def test_a_pod_without_a_node_is_not_a_second_node():
    pods = (failing("LoadFailed", attempts=2), replace(LOADING, node=None, scheduled=None))
    assert isinstance(judge(trial(*pods), NOW), Rejected)


def test_a_pod_too_many_that_is_not_ready_is_waited_for():
    assert isinstance(judge(trial(LOADED, LOADED, LOADING), NOW), Waiting)


def test_a_pod_that_did_not_report_its_digest_gets_no_traffic():
    silent = replace(LOADED, digest=None)
    assert isinstance(judge(trial(LOADED, silent), NOW), Waiting)
    assert isinstance(judge(trial(silent, silent), NOW + timedelta(minutes=6)), Held)


def test_pods_that_fetched_something_else_than_was_registered_are_rejected():
    verdict = judge(trial(LOADED, LOADED, digest="another"), NOW)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.DIGEST_MISMATCH


A, B = (environment_from_report(installed(packages)) for packages in "ab")
INSTALLING = Installing("fetch:1")


def test_all_ready_with_the_same_packages_passes():
    pods = (replace(LOADED, environment=A), replace(LOADED, environment=A))
    assert judge(trial(*pods, installing=INSTALLING), NOW) == Passed("d", A)


def test_a_size_that_differs_makes_no_other_packages_and_any_look_pins_the_same():
    larger = environment_from_report(installed("a", size=1001))
    pods = replace(LOADED, environment=A), replace(LOADED, environment=larger)
    verdicts = {judge(trial(*each, installing=INSTALLING), NOW) for each in (pods, pods[::-1])}
    assert len(verdicts) == 1
    assert isinstance(verdicts.pop(), Passed)


def test_pods_with_different_packages_are_held():
    pods = (replace(LOADED, environment=A), replace(LOADED, environment=B))
    verdict = judge(trial(*pods, installing=INSTALLING), NOW)
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.DOWNLOAD_FAILED


def test_different_bytes_come_before_different_packages():
    pods = (replace(LOADED, environment=A), replace(LOADED, environment=B, digest="e"))
    assert isinstance(judge(trial(*pods, installing=INSTALLING), NOW), Rejected)


def test_one_pod_that_reports_no_packages_is_enough_to_hold():
    pods = (replace(LOADED, environment=A), replace(LOADED, name="old"))
    verdict = judge(trial(*pods, installing=INSTALLING), NOW)
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.CONFIGURATION_ERROR
    assert "pod old" in verdict.message
    assert "fetch:1" in verdict.message


def test_packages_that_nobody_asked_for_are_none_of_ours():
    pods = (replace(LOADED, environment=A), replace(LOADED, environment=B))
    assert judge(trial(*pods), NOW) == Passed("d")


def test_pods_with_other_packages_than_are_pinned_are_rejected():
    pods = (replace(LOADED, environment=B), replace(LOADED, environment=B))
    verdict = judge(trial(*pods, installing=replace(INSTALLING, pinned="a" * 64)), NOW)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.DIGEST_MISMATCH


def test_no_attempt_outlasts_its_deadlines_together():
    young = replace(LOADING, created=NOW + timedelta(minutes=44), fetched=NOW + timedelta(hours=1))
    assert isinstance(judge(trial(LOADED, young), NOW + timedelta(minutes=44)), Waiting)
    assert isinstance(judge(trial(LOADED, young), NOW + timedelta(minutes=45)), Held)


def test_a_pod_that_never_becomes_ready_is_held_after_the_load_deadline():
    verdict = judge(trial(LOADING, LOADED), NOW + timedelta(minutes=6))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure("serve", "OOMKilled", "", 137), Reason.START_FAILED),
        (Failure("serve", "Error", "", 1), Reason.START_FAILED),
        (Failure("fetch", "Error", "", 1), Reason.DOWNLOAD_FAILED),
        (Failure("istio-proxy", "Error", "", 1), Reason.CONFIGURATION_ERROR),
        (
            Failure("fetch", "CreateContainerConfigError", 'secret "bucket" not found', None),
            Reason.CREDENTIALS_MISSING,
        ),
        (
            Failure("serve", "CreateContainerConfigError", 'configmap "a" not found', None),
            Reason.CONFIGURATION_ERROR,
        ),
        (Failure("serve", "ImagePullBackOff", "", None), Reason.IMAGE_PULL_FAILED),
        (Failure("serve", "CreateContainerConfigError", "", None), Reason.CONFIGURATION_ERROR),
        (
            Failure(
                "serve",
                "CreateContainerConfigError",
                "container has runAsNonRoot and image will run as root",
                None,
            ),
            Reason.IMAGE_RUNS_AS_ROOT,
        ),
    ],
)
def test_the_kubelets_words_become_ours(failure, reason):
    assert reason_of(failure) is reason


def test_what_its_probe_ends_before_it_was_ready_is_waited_for_and_then_held():
    slow = failing(KILLED, attempts=9)
    assert isinstance(judge(trial(slow, slow), NOW), Waiting)
    verdict = judge(trial(slow, slow), NOW + timedelta(minutes=5))
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.KILLED
    assert "give it longer (spec.rollout.deadlines.load" in verdict.message


def test_what_its_probe_ends_after_it_had_traffic_crashed():
    failure = Failure("serve", KILLED, "ended from outside", 137, at=NOW + timedelta(seconds=9))
    hung = replace(LOADED, ready=False, been_ready=True, attempts=1, failure=failure)
    assert crashed_in_bake((hung, hung), 2, NOW) is not None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('exceeded quota: "compute", requested: cpu=1', Reason.QUOTA_EXCEEDED),
        ("failed quota: q: must specify limits.cpu for: fetch,serve", Reason.QUOTA_EXCEEDED),
        (
            "maximum memory usage per Container is 400Mi, but limit is 512Mi",
            Reason.LIMIT_RANGE_EXCEEDED,
        ),
        (
            "memory max limit to request ratio per Container is 4, but provided ratio is 8.0",
            Reason.LIMIT_RANGE_EXCEEDED,
        ),
    ],
)
def test_what_a_namespace_allows_no_pod_for_names_what_helps(message, reason):
    verdict = judge(trial(replicas=1, shortage=message), NOW + timedelta(minutes=30))
    assert isinstance(verdict, Held)
    assert verdict.reason is reason
    assert "spec.serving.fetch.resources" in verdict.message
