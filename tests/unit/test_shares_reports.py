"""What pods report of a share of their requests: written by the server, read by the operator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pennant_operator.decide.seen.answers import UnreadableReportError, answers_of, together
from pennant_operator.decide.seen.mirror import Mirrored, mirrored_together
from pennant_serving.metrics.last_answers import BOUNDS
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.traffic.comparing import Comparison
from pennant_serving.traffic.counting import Tallies
from pennant_serving.traffic.shares import parse

pytestmark = pytest.mark.unit

TO = "challenger.team.svc:80"
SHARES = {
    "handOver": {"to": "rec-candidate.team.svc:80", "revision": "abc", "percent": "10"},
    "mirror": {"to": TO, "percent": "10"},
}


def reported() -> Any:
    """Of a pod that handed three requests over, one of them in vain, and copied three."""
    telemetry = Telemetry("news", "7")
    tallies = Tallies(telemetry, ("news", "7"))
    tallies.begin(parse(json.dumps(SHARES).encode()))
    for outcome, seconds in (("2xx", 0.02), ("2xx", 0.02), ("5xx", 0.5)):
        tallies.handed_over("abc", outcome, seconds, answered=outcome == "2xx")
    for agrees in (True, False):
        tallies.compared(TO, Comparison(agrees, 0.5), 0.01, 0.03)
    tallies.copied(TO, "failed")
    own = {
        "answers": {"2xx": 9, "5xx": 0},
        "durations": {"bounds": BOUNDS, "counts": [9] + [0] * len(BOUNDS)},
    }
    counted = telemetry.last_answers.last(60)
    beside = {"format": 1, "model": "news", "version": "7", **own, **tallies.report(counted)}
    return json.loads(json.dumps(beside))


def test_what_was_handed_over_is_told_of_the_candidate_alone():
    read = answers_of(reported(), "news", "7", "abc")
    assert read.tally.requests == 9
    assert read.handed_over is not None
    tally = read.handed_over.tally
    assert (tally.requests, tally.errors) == (3, 1)
    assert tally.median == pytest.approx(0.02, rel=0.26)
    assert answers_of(reported(), "news", "7", "another").handed_over is None
    assert answers_of(reported(), "news", "7").handed_over is None


def test_what_was_copied_is_told():
    seen = answers_of(reported(), "news", "7").mirrored
    assert seen is not None
    assert (seen.to, seen.compared, seen.agreed, seen.failed, seen.dropped) == (TO, 2, 1, 1, 0)
    assert seen.distance == pytest.approx(0.5)
    assert seen.own_seconds == pytest.approx(0.01, rel=0.26)
    assert seen.their_seconds == pytest.approx(0.03, rel=0.26)


def test_of_several_pods_both_are_added_up():
    read = answers_of(reported(), "news", "7", "abc")
    both = together([read, read, answers_of(reported(), "news", "7", "another")])
    assert both.handed_over is not None
    assert (both.handed_over.succeeded, both.handed_over.failed) == (4, 2)
    assert both.mirrored is not None
    assert (both.mirrored.compared, both.mirrored.failed) == (6, 3)


def test_means_are_weighed_and_another_challengers_left_out():
    parts = [
        Mirrored(TO, 3, 3, 0, 0, 0.1),
        Mirrored(TO, 1, 0, 0, 0, 0.5),
        Mirrored("x:80", 9, 9, 0, 0),
    ]
    whole = mirrored_together(parts)
    assert whole is not None
    assert (whole.compared, whole.agreed, whole.own_seconds) == (4, 3, None)
    assert whole.distance == pytest.approx(0.2)
    assert mirrored_together([]) is None


@pytest.mark.parametrize(
    "handed",
    [{"answers": {}}, {"answers": {"2xx": -1, "5xx": 0}, "durations": {}}, {"answers": []}],
)
def test_counts_that_make_no_sense_are_no_report(handed: dict[str, Any]):
    report = {**reported(), "handedOver": {"revision": "abc", **handed}}
    with pytest.raises(UnreadableReportError):
        answers_of(report, "news", "7", "abc")


@pytest.mark.parametrize(
    "mirror",
    [
        "x",
        {},
        {"to": 7},
        {"to": TO},
        {"to": TO, "compared": -1, "agreed": 0, "failed": 0, "dropped": 0},
    ],
)
def test_a_mirror_that_makes_no_sense_is_none(mirror: Any):
    assert answers_of({**reported(), "mirror": mirror}, "news", "7").mirrored is None
