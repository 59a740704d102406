"""Traces of a real process, as a collector gets them; each test has its own, side by side."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from pennant_dev.ports import free_port
from pennant_serving.grpc.messages import ModelInferRequest, message
from pennant_testing.running.side_by_side import Begun, beside
from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.otlp_collector import Collector, attributes, collector
from pennant_testing.serving.pods_side_by_side import StartPod, begin_with_pods
from pennant_testing.serving.serving_process import JSON, Serving, serving

pytestmark = pytest.mark.integration

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
ROWS = {"inputs": [[1, 2], [3, 4]]}
FLUSHED_SECONDS = "60000"
"""Milliseconds between two sendings, so that only the end of the process sends."""


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = LinearRegression().fit(np.array([[0, 0], [1, 0], [0, 1]]), [0, 1, 10])
    path = sklearn_bundle(tmp_path_factory.mktemp("models") / "bundle", model)
    on_volume(path)
    return path


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest, model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begun]:
    with begin_with_pods(request, tmp_path_factory, tracing, model_path) as tests:
        yield tests


@contextlib.contextmanager
def tracing(folder: Path, model_path: Path, url: str, **more: str) -> Iterator[Serving]:
    """A process that sends the traces of all requests there, once it is ready."""
    variables = {"PENNANT_TRACES_ENDPOINT": url, "PENNANT_TRACES_RATIO": "1"}
    variables["PENNANT_DRAIN_SECONDS"] = "4"
    with serving(folder, model_path, **variables | more) as pod:
        pod.wait_until("/v2/health/ready")
        yield pod


def post(pod: Serving, path: str, body: Any, **headers: str) -> int:
    connection: http.client.HTTPConnection = pod.connect()
    connection.request("POST", path, json.dumps(body), JSON | headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def end(pod: Serving) -> None:
    pod.process.send_signal(signal.SIGTERM)
    assert pod.process.wait(timeout=60) == 0


def spans(collector: Collector) -> list[tuple[str, dict[str, Any]]]:
    return [(span.name, attributes(span)) for span in collector.spans]


@beside
def test_a_request_is_a_server_span_below_its_caller(tracing: StartPod):
    with collector() as found, tracing(found.url) as pod:
        assert post(pod, "/invocations", ROWS, traceparent=SAMPLED, tracestate="a=b") == 200
        (span,) = found.wait_for(1)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
    assert (span.trace_state, span.kind, span.name) == (
        "a=b",
        span.SPAN_KIND_SERVER,
        "POST /invocations",
    )
    facts = attributes(span)
    for name in ("pennant.queue_seconds", "pennant.predict_seconds"):
        assert 0 < facts.pop(name) < 5
    assert len(facts.pop("pennant.request_id")) == 32
    assert facts == {
        "http.request.method": "POST", "http.route": "/invocations",
        "http.response.status_code": 200, "pennant.model": "iris", "pennant.version": "7",
        "pennant.rows": 2, "pennant.batch_rows": 2,
    }  # fmt: skip
    assert abs(time.time_ns() - span.start_time_unix_nano) < 60e9
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 5e9
    assert found.paths == {"/v1/traces"}
    assert (found.resource["service.name"], found.resource["service.version"]) == ("iris", "7")


@beside
def test_the_end_of_the_process_sends_what_is_left(tracing: StartPod):
    later = {"OTEL_BSP_SCHEDULE_DELAY": FLUSHED_SECONDS}
    with collector() as found, tracing(found.url, **later) as pod:
        assert post(pod, "/invocations", ROWS) == 200
        assert post(pod, "/invocations", {"inputs": []}) == 400
        assert post(pod, "/v2/models/iris/infer", {}) == 400
        pod.request("/metrics")
        assert found.spans == []
        end(pod)
    assert [(name, facts["http.response.status_code"]) for name, facts in spans(found)] == [
        ("POST /invocations", 200),
        ("POST /invocations", 400),
        ("POST /v2/models/{model}/infer", 400),
    ]


@beside
def test_the_callers_decision_counts_before_the_ratio(tracing: StartPod):
    never = {"PENNANT_TRACES_RATIO": "0"}
    with collector() as found, tracing(found.url, **never) as pod:
        for given in (
            {},
            {"traceparent": UNSAMPLED},
            {"traceparent": SAMPLED},
            {"traceparent": "x"},
        ):
            assert post(pod, "/invocations", ROWS, **given) == 200
        end(pod)
    assert [span.trace_id.hex() for span in found.spans] == [TRACE]


@beside
def test_calls_by_grpc_and_requests_to_workers_are_spans_too(tracing: StartPod):
    port, more = free_port(), {"PENNANT_WORKERS": "2"}
    more["PENNANT_GRPC_PORT"] = str(port)
    with collector() as found, tracing(found.url, **more) as pod:
        for _ in range(8):
            assert post(pod, "/invocations", ROWS) == 200
        asked = ModelInferRequest(model_name="iris")
        asked.inputs.add(
            name="x", shape=[1, 2], datatype="FP64", contents={"fp64_contents": [1, 2]}
        )
        with grpc.insecure_channel(f"localhost:{port}") as channel:
            call = channel.unary_unary(
                "/inference.GRPCInferenceService/ModelInfer",
                request_serializer=ModelInferRequest.SerializeToString,
                response_deserializer=message("inference.ModelInferResponse").FromString,
            )
            call(asked, metadata=[("traceparent", SAMPLED)], timeout=60, wait_for_ready=True)
        end(pod)
    (by_grpc,) = [span for span in found.spans if span.trace_id.hex() == TRACE]
    assert by_grpc.name == "inference.GRPCInferenceService/ModelInfer"
    assert attributes(by_grpc)["rpc.response.status_code"] == "OK"
    assert len(found.spans) == 9


@beside
def test_a_collector_that_is_away_costs_no_request_and_no_time_at_the_end(tracing: StartPod):
    with tracing(f"http://127.0.0.1:{free_port()}") as pod:
        assert post(pod, "/invocations", ROWS) == 200
        started = time.monotonic()
        end(pod)
        # Its time to drain, what the last sending may take, and the machine's other work.
        assert time.monotonic() - started < 4 + 5 + 10
