"""A rehearsal between real processes: what serves remembers, and the next version plays it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.lifecycle.rehearsed import RehearsalOutcome, Rehearsed
from pennant_testing.serving.planted_models import HEALTHY, PLANTED, SERVES, planted_bundle
from pennant_testing.serving.rehearsals import ask, candidate, outcome, remembering
from pennant_testing.serving.serving_process import Serving, serving

pytestmark = pytest.mark.integration

ROUNDS = 20
FEW = {"PENNANT_REHEARSAL_REQUESTS": "18"}
REPORT = "/pennant/rehearsal"
SAMPLES = "/pennant/rehearsal/samples"


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """What serves, and has been asked this and that."""
    folder = tmp_path_factory.mktemp("serves")
    bundle = planted_bundle(folder, SERVES, "7")
    with serving(folder, bundle, **remembering()) as started:
        started.wait_until("/v2/health/ready")
        ask(started, 240)
        yield started


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_version_ends_before_it_is_ready_and_says_what_it_fails(pod, tmp_path, fault):
    estimator, bounds = PLANTED[fault]
    bundle = planted_bundle(tmp_path, estimator, "8")
    with serving(tmp_path, bundle, **candidate(pod, **bounds)) as planted:
        assert planted.process.wait(60) == 1
        assert planted.reason() == "RehearsalFailed"
        assert '"event": "ready"' not in planted.log.read_text()
        print(json.loads(planted.termination_log.read_text())["message"])


def test_a_retrained_version_passes_and_reports_counts(pod, tmp_path):
    bundle = planted_bundle(tmp_path, HEALTHY["retrained"], "8")
    with serving(tmp_path, bundle, **candidate(pod)) as retrained:
        retrained.wait_until("/v2/health/ready")
        report = json.loads(retrained.request(REPORT)[2])
        assert (report["outcome"], report["against"], report["failed"]) == ("Passed", "7", 0)
        assert report["remembered"] == report["answered"] == 240
        assert 30 <= report["played"] <= report["given"] == 200
        assert report["seconds"] < 3
        metrics = retrained.request("/metrics")[2].decode()
        played = f'outcome="Passed",version="8"}} {report["played"]:.1f}'
        assert played in metrics
        assert (
            f'"rehearsal": "Passed: {report["played"]} requests that' in retrained.log.read_text()
        )
        print(f"rehearsal: {report['seconds']} s for {report['played']} requests")


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_version_is_rejected_every_time(pod, tmp_path, fault):
    estimator, bounds = PLANTED[fault]
    bundle = planted_bundle(tmp_path, estimator, "8")
    ends = [outcome(bundle, candidate(pod, **FEW, **bounds)) for _ in range(ROUNDS)]
    reasons = {end.reason if isinstance(end, PodError) else end.message for end in ends}
    assert reasons == {Reason.REHEARSAL_FAILED}


@pytest.mark.parametrize("which", HEALTHY)
def test_a_healthy_version_passes_every_time(pod, tmp_path, which):
    bundle, began = planted_bundle(tmp_path, HEALTHY[which], "8"), time.monotonic()
    ends = [outcome(bundle, candidate(pod, **FEW)) for _ in range(ROUNDS)]
    print(f"{(time.monotonic() - began) / ROUNDS:.3f} s each")
    assert [end.message for end in ends if not isinstance(end, Rehearsed)] == []
    assert {end.outcome for end in ends if isinstance(end, Rehearsed)} == {RehearsalOutcome.PASSED}


def test_what_is_what_serves_or_has_had_the_traffic_rehearses_nothing(pod, tmp_path):
    planted, _ = PLANTED["raises on null"]
    bundle = planted_bundle(tmp_path, planted, "8")
    for more in ({"PENNANT_REVISION": "r7"}, {"PENNANT_HAD_TRAFFIC": "true"}):
        end = outcome(bundle, candidate(pod, **more))
        assert isinstance(end, Rehearsed)
        assert end.outcome is RehearsalOutcome.SKIPPED


@pytest.mark.parametrize(
    "more", [{"PENNANT_REHEARSAL_TOKEN": "e" * 64}, {"PENNANT_REHEARSAL_TOKEN": ""}]
)
def test_without_the_token_there_is_nothing_to_play(pod, tmp_path, more):
    end = outcome(planted_bundle(tmp_path, SERVES, "8"), candidate(pod, **more))
    assert isinstance(end, Rehearsed)
    assert end.outcome is RehearsalOutcome.NO_SAMPLES


def test_without_the_token_the_path_does_not_exist(pod):
    status, _, body = pod.request(SAMPLES)
    assert status == 404
    assert body.replace(SAMPLES.encode(), b"/nope") == pod.request("/nope")[2]


def test_of_several_workers_one_rehearses_and_all_know_what_it_came_to(pod, tmp_path):
    bundle = planted_bundle(tmp_path, HEALTHY["retrained"], "8")
    with serving(tmp_path, bundle, **candidate(pod, **FEW), PENNANT_WORKERS="2") as workers:
        workers.wait_until("/v2/health/ready")
        reports = {workers.request(REPORT)[2] for _ in range(20)}
        assert len(reports) == 1
        assert json.loads(reports.pop())["outcome"] == "Passed"


def test_where_one_of_several_workers_fails_it_the_container_ends(pod, tmp_path):
    bundle = planted_bundle(tmp_path, PLANTED["another shape"][0], "8")
    with serving(tmp_path, bundle, **candidate(pod, **FEW), PENNANT_WORKERS="2") as workers:
        assert workers.process.wait(60) == 1
        assert workers.reason() == "RehearsalFailed"


def test_a_server_that_is_not_asked_to_rehearse_has_neither_path_nor_memory(tmp_path):
    with serving(tmp_path, Path(planted_bundle(tmp_path, SERVES, "7"))) as plain:
        plain.wait_until("/v2/health/ready")
        assert {plain.request(path)[0] for path in (REPORT, SAMPLES)} == {404}
