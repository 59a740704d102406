"""A rehearsal within its time: what is slow at first, or for a moment, is no slow version."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from pennant_serving.failures import PodError
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.rehearsed import Rehearsed
from pennant_serving.recent.sample import INVOCATIONS, INVOCATIONS_ROUTE, Giver, Sample
from pennant_serving.rehearsal import rehearse
from pennant_serving.rehearsal.asking import Gathered
from pennant_testing.serving.app_builders import Echo, model, settings

pytestmark = pytest.mark.unit

TOTAL_SECONDS = 1.0


class Timed(Echo):
    """Takes so long for its requests, one after the other; the last for all that follow."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = [*seconds]

    def predict(self, rows: Any) -> Any:
        time.sleep(self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0])
        return super().predict(rows)


class SlowAtFirst(Echo):
    """Takes a while for each request that it has not seen before."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def predict(self, rows: Any) -> Any:
        (number,) = rows
        if number not in self.seen:
            self.seen.add(number)
            time.sleep(0.05)
        return super().predict(rows)


def sample(seconds: float = 0.001, number: int = 1) -> Sample:
    return Sample(
        protocol=INVOCATIONS, route=INVOCATIONS_ROUTE, method="POST", target="",
        media="application/json", head_bytes=-1, body=b'{"instances": [%d]}' % number,
        answer=b'{"predictions": [%d]}' % number, answer_head_bytes=-1, rows=1, seconds=seconds,
        whole=True, alone=True, at=0.0,
    )  # fmt: skip


@pytest.fixture
def rehearsed(monkeypatch):
    """What comes of a rehearsal of these samples that has a second."""
    monkeypatch.setattr(rehearse, "REHEARSAL_SECONDS", TOTAL_SECONDS)
    monkeypatch.setattr(rehearse, "HANGING_SECONDS", TOTAL_SECONDS / 2)
    monkeypatch.setattr(rehearse, "FIRST_SECONDS", 1.5 * TOTAL_SECONDS)

    def of(adapter: Any, samples: list[Sample]) -> Rehearsed | PodError:
        given = Gathered("7", "r7", [Giver("a", "7", "r7", 9, 9)], samples)
        monkeypatch.setattr(rehearse, "ask", lambda _settings: given)
        asked = settings(version="8", revision="r8", rehearsal_requests=9, rehearsal_token="t")
        try:
            return asyncio.run(rehearse.rehearse(asked, model(adapter), AdapterRoutes()))
        except PodError as error:
            return error

    return of


def test_a_first_answer_that_takes_longer_than_all_others_may_is_no_fault(rehearsed):
    result = rehearsed(Timed(1.2 * TOTAL_SECONDS, 0.0), [sample() for _ in range(5)])
    assert (result.outcome, result.played, result.failed) == ("Passed", 5, 0)


def test_one_that_does_not_answer_at_all_is_at_fault(rehearsed):
    result = rehearsed(Timed(3.0), [sample() for _ in range(5)])
    assert isinstance(result, PodError)
    assert "no answer, for " in result.message
    result = rehearsed(Timed(0.0, 3.0), [sample() for _ in range(5)])
    assert isinstance(result, PodError)
    assert "fails 1 of 2 " in result.message


def test_a_request_that_took_longer_than_a_rehearsal_keeps_no_other_from_being_played(rehearsed):
    result = rehearsed(Timed(0.0), [sample(60.0), sample(), sample()])
    assert (result.outcome, result.given, result.played) == ("Passed", 3, 2)


def test_who_was_slow_until_the_time_was_over_has_a_second_chance(rehearsed):
    samples = [sample(number=number) for number in range(40)]
    result = rehearsed(SlowAtFirst(), samples)
    assert result.outcome == "Passed"
    result = rehearsed(Timed(0.05), samples)
    assert isinstance(result, PodError)
    assert "times as long" in result.message
