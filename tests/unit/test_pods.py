"""What a Pod object says, as the kubelet writes it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.pod_facts import pod_facts
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.termination import KILLED, NODE_ENDED
from pennant_operator.decide.times import format_time, parse_time
from pennant_operator.decide.vocabulary import LABEL_REVISION

pytestmark = pytest.mark.unit

T = "2026-11-21T12:00:00Z"


def pod(**status):
    return {
        "metadata": {
            "name": "rec-blue-1",
            "uid": "u",
            "creationTimestamp": T,
            "labels": {"pennant.dev/revision": "abc"},
        },
        "spec": {"nodeName": "node-1"},
        "status": status,
    }


def condition(kind: str, status: str = "True", **more):
    return {"type": kind, "status": status, "lastTransitionTime": T, **more}


def terminated(message: str = "", exit_code: int = 1, **more):
    return {"exitCode": exit_code, "message": message, "finishedAt": T, **more}


def test_the_digest_comes_from_fetch_and_never_from_serve():
    state = {"terminated": terminated('{"digest": "abc"}', 0)}
    assert pod_facts(pod(initContainerStatuses=[{"name": "fetch", "state": state}])).digest == "abc"
    assert pod_facts(pod(containerStatuses=[{"name": "serve", "state": state}])).digest is None


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, None),
        ("2Ki", None),
        ("2047", "the bundle has 2048 bytes, spec.serving.storage.size is 2047"),
        ("1Ki", "the bundle has 2048 bytes, spec.serving.storage.size is 1Ki"),
    ],
)
def test_a_bundle_larger_than_its_volume_may_be_is_told_by_what_fetch_wrote(limit, expected):
    state = {"terminated": terminated('{"digest": "abc", "bytes": 2048}', 0)}
    fetched = pod(initContainerStatuses=[{"name": "fetch", "state": state}])
    volume = {"name": "models", "emptyDir": {"sizeLimit": limit} if limit else {}}
    fetched["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}, volume]
    assert pod_facts(fetched).overfull == expected
    # What is linked to is in the cache.
    mounts = [{"name": "models", "mountPath": "/models"}, {"name": "cache", "mountPath": "/cache"}]
    fetched["spec"]["containers"] = [{"name": "serve", "volumeMounts": mounts}]
    assert pod_facts(fetched).overfull is None


def test_a_restart_leaves_the_reason_in_the_last_state():
    status = {
        "name": "serve",
        "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": terminated('{"reason": "LoadFailed", "message": "no numpy"}')},
    }
    found = pod_facts(pod(containerStatuses=[status]))
    assert found.attempts == 2  # the one before the restart, and the one it backs off from
    assert found.failure is not None
    assert (found.failure.reason, found.failure.message) == ("LoadFailed", "no numpy")


def test_a_process_killed_without_a_word_says_how_it_ended():
    status = {
        "name": "serve",
        "restartCount": 0,
        "state": {"terminated": terminated(exit_code=139, reason="Error")},
    }
    found = pod_facts(pod(containerStatuses=[status]))
    assert found.attempts == 1
    assert found.failure is not None
    assert found.failure.message == "Error, exit code 139, without a message"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"memory": "512Mi"},
            "at its limit of 512Mi: raise spec.serving.resources.limits.memory",
        ),
        (
            {},
            "the node's own: set spec.serving.resources.limits.memory, and requests.memory too",
        ),
    ],
)
def test_out_of_memory_names_the_field_to_raise(limits, message):
    killed = {"terminated": terminated(exit_code=137, reason="OOMKilled")}
    found = pod(containerStatuses=[{"name": "serve", "state": killed}])
    found["spec"]["containers"] = [{"name": "serve", "resources": {"limits": limits}}]
    assert pod_facts(found).failure.message.startswith("out of memory (OOMKilled)")
    assert pod_facts(found).failure.message.endswith(message)


@pytest.mark.parametrize(
    ("reason", "exit_code"), [("Unknown", 255), ("ContainerStatusUnknown", 137)]
)
def test_what_a_node_took_down_with_it_is_not_the_containers_failure(reason, exit_code):
    ended = {"terminated": terminated(exit_code=exit_code, reason=reason)}
    found = pod_facts(pod(containerStatuses=[{"name": "serve", "lastState": ended, "state": {}}]))
    assert found.failure.reason == NODE_ENDED
    assert found.failure.message == "the node restarted under it"


def test_attempts_are_those_of_the_container_that_fails():
    fetched = {"name": "fetch", "restartCount": 4, "state": {"terminated": terminated("{}", 0)}}
    state = terminated('{"reason": "LoadFailed", "message": "no numpy"}')
    serve = {"name": "serve", "restartCount": 0, "state": {"terminated": state}}
    found = pod_facts(pod(initContainerStatuses=[fetched], containerStatuses=[serve]))
    assert found.attempts == 1


@pytest.mark.parametrize(
    "message", ['{"reason": {}, "message": []}', '{"reason": 7}', "[1]", "[" * 4000, '"x"', "{"]
)
def test_a_hostile_message_is_no_more_than_text(message):
    ended = {"terminated": terminated(message)}
    found = pod_facts(pod(containerStatuses=[{"name": "serve", "state": ended}]))
    assert found.failure.reason == "Error"
    assert isinstance(found.failure.message, str)


def test_half_a_character_in_a_message_is_what_the_api_server_would_store_as_another():
    state = {"terminated": terminated(r'{"reason": "LoadFailed", "message": "a \ud800 b"}')}
    found = pod_facts(pod(containerStatuses=[{"name": "serve", "state": state}]))
    assert found.failure is not None
    assert found.failure.message == "a ? b"


@pytest.mark.parametrize("more", [{"lastTransitionTime": None}, {}], ids=["null", "absent"])
def test_a_condition_without_a_time_is_no_trouble(more):
    """Of whoever writes readiness gates, or schedules pods in another way."""
    bare = [{"type": kind, "status": "True", **more} for kind in ("Ready", "PodScheduled")]
    found = pod_facts(pod(conditions=bare))
    assert found.ready
    assert found.ready_since == found.scheduled == found.created


def test_a_pod_that_its_node_ended_holds_no_process():
    found = pod_facts(pod(phase="Failed", reason="Evicted", message="low on memory. "))
    assert found.evicted == "Evicted: low on memory"


def test_what_the_kubelet_said_of_one_eviction_is_told_of_the_next_that_it_says_nothing_of():
    first = pod_facts(pod(phase="Failed", reason="Evicted", message="low on memory"))
    second = replace(
        pod_facts(pod(phase="Succeeded")), created=first.created + timedelta(minutes=1)
    )
    template = {"metadata": {"labels": {LABEL_REVISION: first.revision}}}
    deployment = {"spec": {"template": template}}
    assert Slot("blue", deployment, (second, first)).evicted == "Evicted: low on memory"
    assert Slot("blue", deployment, (second,)).evicted == "Evicted: the node ended it"


def test_a_message_that_is_not_ours_is_kept_as_text():
    status = {"name": "serve", "state": {"terminated": terminated("Traceback: boom")}}
    found = pod_facts(pod(containerStatuses=[status]))
    assert found.failure is not None
    assert "Traceback: boom" in found.failure.message


def test_waiting_to_start_is_no_failure():
    status = {"name": "serve", "state": {"waiting": {"reason": "PodInitializing"}}}
    assert pod_facts(pod(containerStatuses=[status])).failure is None


def test_an_image_that_cannot_be_pulled_is():
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    found = pod_facts(pod(containerStatuses=[{"name": "serve", "state": {"waiting": waiting}}]))
    assert found.failure is not None
    assert found.failure.exit_code is None


def test_the_scheduler_says_why_not():
    found = pod_facts(pod(conditions=[condition("PodScheduled", "False", message="no cpu")]))
    assert found.scheduled is None
    assert found.unschedulable == "no cpu"


def test_a_pod_has_the_claims_of_its_volumes_and_waits_for_them_until_it_may_begin():
    started = pod(conditions=[condition("PodReadyToStartContainers")])
    waits = pod(conditions=[condition("PodReadyToStartContainers", "False")])
    claim = {"name": "cache", "persistentVolumeClaim": {"claimName": "model-cache"}}
    for each in (started, waits):
        each["spec"]["volumes"] = [{"name": "models", "emptyDir": {}}, claim]
    assert pod_facts(waits).claims == pod_facts(started).claims == ("model-cache",)
    assert (pod_facts(waits).mounting, pod_facts(started).mounting) == (True, False)
    assert pod_facts(pod()).claims == ()


def test_phases_are_dated_by_their_conditions():
    conditions = [condition("PodScheduled"), condition("Initialized"), condition("Ready")]
    found = pod_facts(pod(conditions=conditions))
    assert found.ready
    assert found.scheduled == found.fetched == found.created


@pytest.mark.parametrize(
    ("deleted", "ready", "lost"),
    [(None, "False", False), (29, "False", False), (31, "False", True), (31, "True", False)],
    ids=["stays", "may still end", "never reported", "answers"],
)
def test_a_pod_is_lost_when_its_grace_is_long_over_and_it_is_not_ready(deleted, ready, lost):
    found = pod(conditions=[condition("Ready", ready)])
    now = parse_time(T)
    if deleted is not None:
        found["metadata"]["deletionTimestamp"] = format_time(now - timedelta(seconds=deleted))
    assert pod_facts(found).lost(now) is lost


@pytest.mark.parametrize(
    ("ready", "seconds", "been"),
    [("True", 3, True), ("False", 3, True), ("False", 0, False), (None, 0, False)],
    ids=["is ready", "was ready", "starts", "has just been made"],
)
def test_a_pod_was_ready_if_it_stopped_to_be_after_its_init_containers(ready, seconds, been):
    at = format_time(parse_time(T) + timedelta(seconds=seconds))
    conditions = [condition("Initialized")]
    if ready:
        conditions.append({**condition("Ready", ready), "lastTransitionTime": at})
    assert pod_facts(pod(conditions=conditions)).been_ready is been


@pytest.mark.parametrize("code", [137, 143])
def test_what_a_signal_ended_was_killed_unless_the_memory_limit_explains_it(code):
    def failed(reason: str) -> str:
        state = {"terminated": terminated(exit_code=code, reason=reason)}
        facts = pod_facts(pod(containerStatuses=[{"name": "serve", "state": state}]))
        assert facts.failure is not None
        return facts.failure.reason

    assert failed("Error") == KILLED
    assert failed("OOMKilled") == "OOMKilled"


def test_the_time_that_a_kubelet_tells_of_an_end_it_was_not_told_of_is_no_trouble():
    least = "1754-08-30T22:43:41Z"  # of no nanoseconds since the year 1, in 64 bits
    ended = {**terminated(exit_code=139), "finishedAt": least}
    facts = pod_facts(pod(containerStatuses=[{"name": "serve", "state": {"terminated": ended}}]))
    assert facts.failure is not None
    assert format_time(facts.failure.at) == least


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0987-06-05T04:03:02Z"])
def test_a_time_is_told_as_it_was_read_however_early(text: str):
    assert format_time(parse_time(text)) == text
