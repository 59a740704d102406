"""Traces: settings, an image that cannot send them, and the times of a request."""

from __future__ import annotations

import asyncio
import sys

import pytest

from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.policy import BatchLimits
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.runner import Observer
from pennant_serving.batching.timing import Times, Timing, wanted
from pennant_serving.environ import SettingsError
from pennant_serving.failures import PodError, Reason
from pennant_serving.rows import Rows
from pennant_serving.sampling.sampling import create_watch
from pennant_serving.settings import Settings
from pennant_testing.serving.app_builders import Echo, settings

pytestmark = pytest.mark.unit

REQUIRED = {"PENNANT_MODEL_NAME": "iris", "PENNANT_MODEL_VERSION": "7"}
EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


@pytest.mark.parametrize(
    "url",
    [
        "otel:4318",
        "grpc://otel:4317",
        "http://",
        "http://otel:port",
        "http://otel?x",
        "http://[otel",
    ],
)
def test_an_address_that_is_no_collectors_is_refused_with_an_example(url):
    with pytest.raises(SettingsError, match="such as http://otel-collector:4318") as raised:
        Settings.from_env(REQUIRED | {"PENNANT_TRACES_ENDPOINT": url})
    assert f"PENNANT_TRACES_ENDPOINT={url!r}" in str(raised.value)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(REQUIRED | {"PENNANT_TRACES_ENDPOINT": "http://me:hidden@otel:4318"})
    assert "hidden" not in str(raised.value)


def test_a_ratio_above_one_is_refused():
    with pytest.raises(SettingsError, match="PENNANT_TRACES_RATIO='2'"):
        Settings.from_env(REQUIRED | {"PENNANT_TRACES_RATIO": "2"})


def test_an_image_without_opentelemetry_says_what_to_do(monkeypatch):
    monkeypatch.delitem(sys.modules, "pennant_serving.sampling.spans", raising=False)
    monkeypatch.setitem(sys.modules, EXPORTER, None)
    with pytest.raises(PodError, match=r"install pennant\[traces\] in it, or take out") as raised:
        create_watch(settings(traces_endpoint="http://otel:4318"))
    assert raised.value.reason is Reason.START_FAILED
    assert EXPORTER in raised.value.message


def test_nothing_is_watched_and_nothing_imported_unless_it_is_wanted():
    assert create_watch(settings()) is None
    assert create_watch(settings(payload_log_redact=("user",))) is None


@pytest.mark.parametrize("rows", [1, 5], ids=["whole", "cut"])
def test_the_times_of_a_request_are_noted_where_they_are_wanted(rows):
    async def predict() -> Times:
        batcher = Batcher(Echo(), Pool(), BatchLimits(max_rows=2), Timing(Observer()))
        times = Times()
        wanted.set(times)
        await batcher.predict(Rows(["U1"] * rows))
        return times

    times = asyncio.run(predict())
    assert times.queue is not None
    assert (times.queue >= 0, times.predict > 0, times.rows) == (True, True, min(rows, 2))
