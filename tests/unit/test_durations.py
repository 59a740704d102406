"""The phases of a rollout, from the times that Kubernetes keeps."""

from datetime import datetime, timedelta

import pytest

from pennant_operator.decide.candidate.durations import phase_durations
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.times import format_time
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def pod(scheduled: float, fetched: float, ready: float) -> PodFacts:
    return PodFacts(
        name="rec-blue-1",
        uid="u",
        revision="abc",
        node="node-1",
        created=NOW,
        scheduled=at(scheduled),
        fetched=at(fetched),
        ready_since=at(ready),
    )


def test_the_slowest_pod_counts_in_every_phase():
    durations = phase_durations({"since": format_time(NOW)}, [pod(1, 3, 5), pod(2, 3, 8)], at(9))
    assert durations == {"schedule": 2, "fetch": 1, "load": 5, "switch": 1, "total": 9}


def test_clocks_that_disagree_make_no_negative_phase():
    durations = phase_durations({"since": format_time(NOW)}, [pod(1, 2, 10)], at(9))
    assert durations["switch"] == 0
    assert durations["total"] == 9


def test_nothing_is_told_where_a_time_is_missing():
    assert phase_durations({"since": format_time(NOW)}, [], at(9)) == {}
    assert phase_durations({}, [pod(1, 2, 3)], at(9)) == {}
