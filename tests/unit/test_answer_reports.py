"""What a pod reports: read as it was written, or refused; added up; and whom to ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.seen.answers import (
    DIFFERENCES_CHARACTERS_LIMIT,
    AnswerCounts,
    UnreadableReportError,
    answers_of,
    together,
)
from pennant_operator.decide.seen.pod_facts import pod_facts
from pennant_serving.metrics.histograms import Series
from pennant_serving.metrics.last_answers import BOUNDS, OUTCOMES, report
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

SECONDS = st.floats(0.0002, 50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def written(*seconds: float, failed: int = 0) -> Any:
    """The report of a server that answered so fast, as it comes over the wire."""
    series = Series(BOUNDS)
    for each in seconds:
        series.observe(each)
    nothing = [0] * (len(BOUNDS) + 1)
    counts = dict(zip(OUTCOMES, (series.counts, nothing, [failed, *nothing[1:]]), strict=True))
    return json.loads(json.dumps(report("news", "7", 60, counts)))


@examples(100)
@given(st.lists(SECONDS, min_size=1, max_size=30), st.integers(0, 9))
def test_the_operator_reads_what_the_server_writes(seconds: list[float], failed: int):
    tally = answers_of(written(*seconds, failed=failed), "news", "7").tally
    assert (tally.requests, tally.errors) == (len(seconds) + failed, failed)
    assert tally.median is not None
    low, high = sorted(seconds)[(len(seconds) - 1) // 2], sorted(seconds)[len(seconds) // 2]
    assert low / 1.26 <= tally.median <= high * 1.26  # a bucket's width


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("scikit-learn 1.5.2 (here 1.7.1)", "scikit-learn 1.5.2 (here 1.7.1)"),
        ("x" * 5000, "x" * DIFFERENCES_CHARACTERS_LIMIT),
        ("two\nlines", ""),
        (["numpy"], ""),
        (None, ""),
    ],
)
def test_how_an_environment_differs_is_read_if_it_is_a_line(told: Any, read: str):
    assert answers_of(written() | {"differences": told}, "news", "7").differences == read


def test_what_one_pod_says_of_its_environment_is_said_of_all():
    other = answers_of(written() | {"differences": "numpy 1.26"}, "news", "7")
    assert together([answers_of(written(), "news", "7"), other]).differences == "numpy 1.26"


@examples(200)
@given(
    st.sampled_from(["format", "model", "version", "answers", "durations", "bounds", "counts"]),
    JSON,
)
def test_whatever_stands_in_a_report_it_is_read_or_refused(field: str, value: Any):
    told = written(0.01)
    (told["durations"] if field in told["durations"] else told)[field] = value
    try:
        read = answers_of(told, "news", "7")
    except UnreadableReportError:
        return
    assert read.tally.requests >= 0
    assert len(read.durations) == len(read.bounds) + 1


@examples(100)
@given(JSON)
def test_anything_may_be_answered(value: Any):
    with pytest.raises(UnreadableReportError):
        answers_of(value, "news", "7")


def test_pods_are_added_up_where_they_count_alike():
    one, other = (answers_of(written(*each), "news", "7") for each in ((0.1,), (0.1, 0.1)))
    assert together([one, other]).tally.requests == 3
    with pytest.raises(UnreadableReportError, match="different ways"):
        together([one, AnswerCounts(bounds=(1.0,), durations=(0, 0))])


def test_where_nothing_succeeded_there_is_no_median():
    assert answers_of(written(failed=3), "news", "7").tally.median is None


def pod(ip: str = "10.0.0.7", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "grpc", "containerPort": 9000}, {"name": "http", "containerPort": 8080}]
    containers = [{"name": "proxy"}, {"name": "serve", "ports": ports}]
    meta = {"name": "x", "uid": "u", "creationTimestamp": "2026-11-21T12:00:00Z"}
    status = {"podIP": ip} if ip else {}
    return {"metadata": meta, "spec": {"containers": containers, **spec}, "status": status}


@pytest.mark.parametrize(
    ("seen", "address"),
    [
        (pod(), "10.0.0.7:8080"),
        (pod("fd00::7"), "[fd00::7]:8080"),
        (pod(""), ""),
        (pod(hostNetwork=True), ""),  # somebody else may answer at the node's
        (pod(containers=[{"name": "serve"}]), ""),
    ],
)
def test_a_pod_is_asked_at_its_own_address_and_port(seen: dict[str, Any], address: str):
    assert pod_facts(seen).address == address
