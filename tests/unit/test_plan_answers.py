"""Answers in the bake: what goes back for how it answers, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.plan import plan, wanted_reports
from pennant_operator.decide.seen.answers import AnswerCounts
from pennant_operator.decide.times import parse_time
from pennant_testing.memory.judged_bakes import WELL, answers_like, bakes, rejection, serves
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation

pytestmark = pytest.mark.unit

LONG = {"bake": "10m"}


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (WELL, answered(20, errors=20), "ErrorsInBake"),
        (WELL, answered(60, errors=20), "ErrorsInBake"),
        (WELL, answered(20, errors=2), "ErrorsInBake"),
        (WELL, answered(20, errors=1), None),  # a twentieth
        (WELL, answered(19, errors=19), None),  # too few
        (WELL, answered(400), None),
        (answered(400, errors=400), answered(400, errors=400), None),  # it failed as much
        (answered(400, errors=100), answered(400, errors=199), None),  # less than twice
        (answered(400, errors=100), answered(400, errors=200), "ErrorsInBake"),
        (answered(4, errors=4), answered(20, errors=20), "ErrorsInBake"),  # says nothing
        (AnswerCounts(), answered(20, errors=20), "ErrorsInBake"),
        ("pods cannot be asked", answered(20, errors=20), "ErrorsInBake"),
        (answered(400, median=0.02), answered(20, median=0.2), "SlowInBake"),
        (answered(400, median=0.02), answered(20, median=0.1), "SlowInBake"),
        (answered(400, median=0.02), answered(20, median=0.09), None),
        (answered(400, median=0.001), answered(20, median=0.0105), None),  # by less than 10 ms
        (answered(400, median=0.001), answered(20, median=0.0115), "SlowInBake"),
        (answered(400, median=0.02), answered(19, median=2), None),
        (AnswerCounts(), answered(400, median=2), None),  # nobody knows how it was
        (answered(4), answered(400, median=2), None),
        (WELL, AnswerCounts(), None),
        (WELL, "pods cannot be asked", None),
    ],
)
def test_the_traffic_goes_back_for_errors_or_slowness_against_what_served_before(
    before, now, reason
):
    sim = answers_like(bakes(before), now)
    assert rejection(sim).get("reason") == reason
    assert sim.serving == ("8" if reason is None else "7")
    assert sim.condition("Ready") == ("True", "Serving")


def test_the_message_has_the_numbers_of_both():
    sim = answers_like(bakes(answered(200, errors=2)), answered(60, errors=20))
    assert rejection(sim)["message"] == (
        "20 of 60 answers were errors (5xx) since it has the traffic; of version 7, before it, "
        "2 of 200 were"
    )
    sim = answers_like(bakes(answered(200, median=0.012)), answered(60, median=0.18))
    assert rejection(sim)["message"] == (
        "half of its 60 answers took 180 ms or longer; half of 200 of version 7, before it, 12 ms"
    )
    sim = answers_like(bakes(AnswerCounts()), answered(60, errors=60))
    assert rejection(sim)["message"].endswith("; of version 7 no answers are known")


def test_the_limits_are_those_of_the_spec():
    limits = {"answers": {"errors": "0.5", "slower": "2", "requests": 100}}
    assert not rejection(answers_like(bakes(**limits), answered(100, errors=40)))
    assert not rejection(answers_like(bakes(**limits), answered(99, errors=99)))
    assert rejection(answers_like(bakes(**limits), answered(100, errors=50)))
    assert rejection(answers_like(bakes(**limits), answered(100, median=0.04)))


def test_switched_off_no_pod_is_asked_and_nothing_goes_back():
    sim = answers_like(bakes(answers={"check": "Off"}), answered(400, errors=400))
    assert sim.serving == "8"
    assert "answers" not in sim.status
    assert sim.observe().reports is None


def test_a_server_of_the_users_own_is_not_asked():
    server = {
        "mode": "Custom",
        "image": "api:1",
        "port": 9000,
        "probes": {"readiness": {"tcpSocket": {}}},
    }
    sim = Simulation(version(7), owner=model_deployment(serving=server))
    sim.answers["7"] = sim.answers["8"] = answered(400, errors=400)
    sim.run(6)
    sim.desired = version(8)
    for _ in range(8):
        assert sim.observe().reports is None
        sim.step()
    assert (sim.serving, "answers" in sim.status) == ("8", False)


def test_the_baseline_is_in_the_status_before_the_traffic_moves():
    sim = serves(answered(200, errors=3, median=0.0125))
    sim.desired = version(8)
    while sim.serving == "7":
        before = sim.status
        sim.step()
    entry = before["answers"]
    assert entry["baseline"] == {"requests": 200, "errors": 3, "medianSeconds": "0.012500"}
    assert entry["revision"] == sim.status["serving"]["revision"]


def test_a_report_that_is_on_its_way_is_awaited():
    sim = serves()
    sim.desired = version(8)
    while sim.observe().reports is None:
        sim.step()
    on_its_way = replace(sim.observe(), reports=None)
    decision = plan(on_its_way, sim.now)
    assert (decision.writes, decision.requeue_after) == ((), 1.0)
    assert decision.status is not None
    assert "answers" not in decision.status


def test_no_report_that_cannot_be_had_is_awaited():
    sim = serves("pods do not answer within 1 s")
    sim.answers["8"] = sim.answers["7"]
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"
    assert sim.status["answers"]["unread"] == "pods do not answer within 1 s"


def test_what_cannot_be_read_reverts_nothing_and_the_message_says_so():
    sim = answers_like(bakes(), "pods do not answer within 1 s")
    assert sim.serving == "8"
    assert sim.message("AliasInSync").endswith(
        "; nothing is known of how it answers: pods do not answer within 1 s"
    )
    answers_like(sim, WELL)
    assert "nothing is known" not in sim.message("AliasInSync")


def test_the_entry_goes_in_the_write_that_ends_the_bake():
    sim = answers_like(bakes(), WELL)
    while sim.status["summary"] == "Baking":
        assert sim.status["answers"]["serving"]["requests"] == 400
        sim.step(seconds=30)
    assert sim.status["summary"] == "Serving"
    assert "answers" not in sim.status


def test_the_entry_goes_when_the_traffic_goes_back_and_what_served_before_is_not_judged():
    sim = answers_like(bakes(), answered(60, errors=60))
    assert (sim.serving, sim.status["summary"]) == ("7", "Rejected")
    assert "answers" not in sim.status
    sim.answers["7"] = answered(400, errors=400)
    sim.run(8)
    assert sim.serving == "7"
    assert [entry["version"] for entry in sim.status["rejected"]] == ["8"]


def test_numbers_are_written_when_they_have_doubled_and_never_go_down():
    sim = answers_like(bakes(**LONG), answered(50))
    seen = []
    for requests in (60, 90, 100, 5, 150, 210):
        answers_like(sim, answered(requests), looks=1)
        seen.append(sim.status["answers"]["serving"]["requests"])
    assert seen == [50, 50, 100, 100, 100, 210]


def test_while_the_numbers_are_the_same_nothing_is_written():
    sim = answers_like(bakes(**LONG), answered(50))
    before = sim.status
    for _ in range(5):
        decision = sim.step()
        assert decision.status == before
        assert not decision.writes


def test_a_bake_that_is_judged_is_looked_at_every_two_seconds_at_least():
    sim = answers_like(bakes(**LONG), WELL)
    sim.now += timedelta(minutes=3)
    assert sim.step().requeue_after == 2.0
    answers_like(sim, WELL).specify(rollout=LONG | {"answers": {"check": "Off"}})
    assert sim.step().requeue_after == 5.0


def asked_seconds(sim: Simulation, looks: int) -> list[int]:
    """Of how long ago the pods with traffic are asked, beyond the seconds since the move."""
    beyond = []
    for _ in range(looks):
        sim.step(seconds=0.7)
        question = wanted_reports(sim.observe(), sim.now)
        if question is not None and "since" in question.about:
            since = parse_time(sim.status["serving"]["since"])
            beyond.append(question.seconds - int((sim.now - since).total_seconds()))
    return beyond


def test_the_first_answers_of_a_new_version_count():
    sim = serves()
    sim.desired = version(8)
    assert set(asked_seconds(sim, 14)) == {3}


def test_of_what_gets_the_traffic_back_no_second_that_began_before_is_asked_for():
    sim = answers_like(bakes(), WELL, looks=8)
    sim.desired = version(7)
    sim.run(3)
    assert sim.serving == "7"
    assert set(asked_seconds(sim, 9)) == {-1}


def test_somebodys_edit_of_the_status_changes_no_decision():
    sim = answers_like(bakes(**LONG), answered(50))
    status = sim.status
    forged = {"revision": status["answers"]["revision"]}
    forged |= {"serving": {"requests": 900, "errors": 900}, "baseline": {"medianSeconds": "0.0001"}}
    sim.owner = {**sim.owner, "status": {**status, "answers": forged}}
    sim.run(3)
    assert (sim.serving, rejection(sim)) == ("8", {})
    sim.owner = {**sim.owner, "status": {k: v for k, v in status.items() if k != "answers"}}
    answers_like(sim, answered(60, errors=30))
    assert (sim.serving, rejection(sim)["reason"]) == ("7", "ErrorsInBake")


def test_an_environment_that_differs_is_an_event_once_a_rollout():
    text = "scikit-learn 1.5.2 (here 1.7.1)"
    differs = replace(answered(1), differences=text)
    sim = answers_like(bakes(WELL), differs)
    sim.run(4)
    found = [each.message for each in sim.events if each.reason == "EnvironmentDiffers"]
    assert found == [f"version 8 answers, and its bundle asks for {text}"]
    assert (sim.serving, sim.status["answers"]["differences"]) == ("8", text)


def test_what_the_version_before_says_of_its_environment_is_nothing_of_the_new_ones():
    sim = answers_like(bakes(replace(WELL, differences="numpy 1.26 (here 2.3)")), WELL)
    assert "EnvironmentDiffers" not in {each.reason for each in sim.events}
    assert "differences" not in sim.status["answers"]
