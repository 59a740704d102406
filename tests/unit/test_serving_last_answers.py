"""What a pod tells of its last answers: which count, and from when."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pennant_serving.metrics.histograms import Histograms
from pennant_serving.metrics.last_answers import (
    ANSWERS,
    BOUNDS,
    OUTCOMES,
    REMEMBERED_SECONDS,
    LastAnswers,
    discard_old,
    report,
)
from pennant_serving.metrics.telemetry import Telemetry

pytestmark = pytest.mark.unit


class Counted:
    """One process's answers, and the time."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.histograms = Histograms([ANSWERS])
        self.last_answers = LastAnswers(self.histograms, lambda: self.now)

    def answer(self, outcome: str, times: int = 1, seconds: float = 0.01) -> None:
        for _ in range(times):
            self.histograms.series(ANSWERS.name, outcome).observe(seconds)

    def passes(self, seconds: float) -> None:
        """Time goes on, with a look a second."""
        for _ in range(int(seconds)):
            self.now += 1
            self.last_answers.last(1)

    def told(self, seconds: float) -> dict[str, int]:
        return {
            outcome: sum(counts)
            for outcome, counts in self.last_answers.last(seconds).items()
            if sum(counts)
        }


def test_the_answers_of_the_last_seconds_are_told_and_no_earlier_ones():
    pod = Counted()
    pod.answer("5xx", 3)
    pod.passes(30)
    pod.answer("2xx", 2)
    pod.passes(5)
    assert pod.told(20) == {"2xx": 2}
    assert pod.told(60) == {"2xx": 2, "5xx": 3}


def test_what_an_event_loop_that_stood_still_puts_aside_late_counts_as_of_before():
    pod = Counted()
    pod.passes(1)
    pod.answer("5xx")  # at any time of the next ten seconds
    pod.now += 10
    assert pod.told(5) == {}
    assert pod.told(11) == {"5xx": 1}


def test_what_is_older_than_five_minutes_is_forgotten():
    pod = Counted()
    pod.answer("2xx")
    pod.passes(REMEMBERED_SECONDS + 2)
    assert pod.told(10_000) == {}


def test_any_worker_tells_of_all_also_of_one_that_ended(tmp_path: Path):
    one, other = Counted(), Counted()
    one.last_answers.share(tmp_path / "1")
    other.last_answers.share(tmp_path / "2")
    one.answer("2xx", 4)
    other.answer("5xx", 2)
    one.passes(1)
    other.passes(1)
    assert one.told(10) == other.told(10) == {"2xx": 4, "5xx": 2}
    third = Counted(now=1002.0)
    third.last_answers.share(tmp_path / "3")
    assert third.told(10) == {"2xx": 4, "5xx": 2}


def test_what_a_worker_left_goes_when_nobody_can_ask_for_it_any_more(tmp_path: Path):
    for name, age in (("1", REMEMBERED_SECONDS + 60), ("2", 5)):
        left = tmp_path / f"{name}.answers"
        left.write_text("[]")
        then = left.stat().st_mtime - age
        os.utime(left, (then, then))
    discard_old(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["2.answers"]


@pytest.mark.parametrize(
    ("protocol", "route", "code", "outcome"),
    [
        ("v2", "/v2/models/{model}/infer", 200, "2xx"),
        ("v2", "/v2/models/{model}/versions/{version}/infer", 500, "5xx"),
        ("mlflow", "/invocations", 400, "4xx"),
        ("mlflow", "/invocations", 499, "4xx"),
        ("mlflow", "/invocations", 504, "5xx"),
        ("own", "/recommend/{user}", 200, "2xx"),
        ("grpc", "/inference.GRPCInferenceService/ModelInfer", "OK", "2xx"),
        ("grpc", "/inference.GRPCInferenceService/ModelInfer", "INTERNAL", "5xx"),
        ("grpc", "/inference.GRPCInferenceService/ModelInfer", "INVALID_ARGUMENT", "4xx"),
        ("grpc", "/inference.GRPCInferenceService/ModelInfer", "CANCELLED", "4xx"),
        ("grpc", "/inference.GRPCInferenceService/ServerReady", "OK", None),
        ("v2", "/v2/health/ready", 503, None),
        ("v2", "/v2/models/{model}", 200, None),
        ("own", "/metrics", 200, None),
        ("own", "/metrics/answers", 200, None),
        ("own", "/ping", 503, None),
        ("own", "unmatched", 404, None),
    ],
)
def test_predictions_count_and_nothing_else(protocol, route, code, outcome):
    telemetry = Telemetry("news", "7")
    telemetry.observe(route, code, 0.01, protocol)
    counts = {name: sum(series.counts) for name, series in _answers(telemetry).items()}
    assert counts == {name: int(name == outcome) for name in OUTCOMES}


def _answers(telemetry: Telemetry):
    return {name: telemetry.histograms.series(ANSWERS.name, name) for name in OUTCOMES}


def test_the_report_names_what_serves_and_counts_the_durations_of_what_succeeded():
    pod = Counted()
    pod.answer("2xx", 2, seconds=0.03)
    pod.answer("5xx", 1, seconds=9)
    told = json.loads(json.dumps(report("news", "7", 60, pod.last_answers.last(60))))
    assert (told["format"], told["model"], told["version"], told["seconds"]) == (1, "news", "7", 60)
    assert told["answers"] == {"2xx": 2, "4xx": 0, "5xx": 1}
    counts, bounds = told["durations"]["counts"], told["durations"]["bounds"]
    (bucket,) = [number for number, count in enumerate(counts) if count]
    assert bounds[bucket - 1] < 0.03 <= bounds[bucket]
    assert len(counts) == len(bounds) + 1 == len(BOUNDS) + 1
