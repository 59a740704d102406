"""When a prediction runs in the event loop: what is proved short, and how the proof is undone."""

from __future__ import annotations

import asyncio

import pytest

from pennant_serving.batching.speed import (
    PROVING_RUNS,
    SHORT_CLOCK_SECONDS,
    SHORT_CPU_SECONDS,
    WAITING_CLOCK_SECONDS,
    Speed,
)
from pennant_serving.rows import Rows
from pennant_testing.serving.app_builders import model
from pennant_testing.serving.joined_requests import SummingAdapter, ask

pytestmark = pytest.mark.unit


def test_only_what_was_proved_short_runs_in_the_event_loop():
    adapter = SummingAdapter()
    served = model(adapter)
    ask(served, Rows([[1.0, 2.0]]))
    assert adapter.threads == {"predict"}
    adapter.threads.clear()
    asyncio.run(served.batcher.prove(Rows([[1.0, 2.0]])))
    adapter.threads.clear()
    ask(served, Rows([[1.0, 2.0]]))
    assert adapter.threads == {"MainThread"}


def proved(*, steady: bool = True) -> Speed:
    speed = Speed(steady=steady)
    for _ in range(PROVING_RUNS):
        speed.tried(8, SHORT_CPU_SECONDS / 2, SHORT_CLOCK_SECONDS / 2)
    return speed


def test_a_proof_is_undone_by_long_runs_in_a_row_and_comes_back():
    speed = proved()
    assert speed.proved(5)
    assert not speed.proved(9)
    for _ in range(PROVING_RUNS):
        speed.measured(7, SHORT_CPU_SECONDS / 2, SHORT_CPU_SECONDS / 2)
    for _ in range(PROVING_RUNS):
        speed.measured(7, 2 * SHORT_CPU_SECONDS, 2 * SHORT_CPU_SECONDS)
    assert speed.proved(5)
    speed.measured(7, 2 * SHORT_CPU_SECONDS, 2 * SHORT_CPU_SECONDS)
    assert not speed.proved(5)
    for _ in range(PROVING_RUNS):
        speed.measured(7, SHORT_CPU_SECONDS / 2, SHORT_CPU_SECONDS / 2)
    assert speed.proved(5)


def test_what_waits_is_long_by_the_clock_and_leaves_the_loop_at_once():
    speed = Speed(steady=True)
    for _ in range(PROVING_RUNS):
        speed.tried(8, 0.0, 2 * SHORT_CLOCK_SECONDS)
    assert not speed.proved(8)
    speed = proved()
    for _ in range(2 * PROVING_RUNS):
        speed.measured(8, 0.0, 0.0)
    speed.measured(8, 0.0, 2 * WAITING_CLOCK_SECONDS)
    assert not speed.proved(8)


def test_nothing_is_proved_by_requests_nor_of_an_adapter_that_may_wait():
    speed = Speed(steady=True)
    for _ in range(PROVING_RUNS):
        speed.measured(1, 0, 0)
    assert not speed.proved(1)
    assert not proved(steady=False).proved(8)
