"""What a rehearsal leaves behind: nothing that was asked, and little memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_testing.serving.planted_models import (
    HEALTHY,
    Hanging,
    RaisingOnNull,
    Weighted,
    planted_bundle,
)
from pennant_testing.serving.rehearsals import INFER, ask, candidate, remembering
from pennant_testing.serving.serving_process import Serving, serving, worker_pids
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MARKER = 73019.5417
ID = "marker-8c1f27"
TENSOR = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [MARKER, None]}
MEMORY_MIB = 8
LOGGED = {"PENNANT_ACCESS_LOG": "true"}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """What serves, and was asked for what can be looked for."""
    folder = tmp_path_factory.mktemp("serves")
    bundle = planted_bundle(folder, Weighted(), "7")
    with serving(folder, bundle, **remembering(), **LOGGED, **temporary(folder)) as started:
        started.wait_until("/v2/health/ready")
        for _ in range(8):
            started.request("/invocations", {"dataframe_records": [{"a": MARKER, "b": None}]})
            started.request(INFER, {"id": ID, "inputs": [TENSOR]})
        ask(started, 8)
        yield started


def temporary(folder: Path) -> dict[str, str]:
    """Where a process may leave files, to be looked through."""
    (folder / "tmp").mkdir()
    return {"TMPDIR": str(folder / "tmp")}


def traces(folder: Path, *texts: bytes) -> list[str]:
    """Where something of what was asked is to be read, among files and other texts."""
    files = [path for path in folder.rglob("*") if path.is_file() and "bundle" not in path.parts]
    assert len(files) >= 2  # the log, at least, and what it ended with
    named = {str(path): path.read_bytes() for path in files}
    named |= {f"text {number}": text for number, text in enumerate(texts)}
    marks = (str(MARKER).encode(), ID.encode(), b"73019")
    return [name for name, content in named.items() if any(mark in content for mark in marks)]


def test_a_version_that_raises_what_it_was_asked_leaves_nothing_of_it(pod, tmp_path):
    bundle = planted_bundle(tmp_path, RaisingOnNull(), "8")
    variables = candidate(pod) | LOGGED | temporary(tmp_path)
    with serving(tmp_path, bundle, **variables) as planted:
        assert planted.process.wait(60) == 1
        assert "ValueError in predict (planted_models.py:" in planted.termination_log.read_text()
        assert traces(tmp_path) == []


def test_a_version_that_passes_leaves_nothing_either_nor_does_what_serves(pod, tmp_path):
    bundle = planted_bundle(tmp_path, HEALTHY["retrained"], "8")
    variables = candidate(pod) | LOGGED | temporary(tmp_path) | {"PENNANT_WORKERS": "2"}
    with serving(tmp_path, bundle, **variables) as passing:
        passing.wait_until("/v2/health/ready")
        paths = ("/metrics", "/pennant/rehearsal")
        seen = [each.request(path)[2] for each in (passing, pod) for path in paths]
        passing.termination_log.write_text("")
        assert traces(tmp_path, *seen) == []
        pod.termination_log.write_text("")
        assert traces(pod.log.parent) == []


def test_one_that_hangs_and_is_aborted_says_where_and_not_what(pod, tmp_path):
    begun = tmp_path / "begun"
    bundle = planted_bundle(tmp_path, Hanging(begun), "8")
    variables = candidate(pod) | temporary(tmp_path) | {"PENNANT_WORKERS": "2"}
    with serving(tmp_path, bundle, **variables) as hanging:
        until(begun.exists)
        for worker in worker_pids(hanging):
            os.kill(worker, signal.SIGABRT)
        assert hanging.process.wait(60) == 1
        assert "planted_models.py" in hanging.log.read_text()
        assert "no answer, for " in hanging.termination_log.read_text()
        assert traces(tmp_path) == []


def grown_mib(pod: Serving) -> float:
    """What it takes more after many large requests, of which no two are the same."""
    pod.wait_until("/v2/health/ready")
    fill(pod, 40)
    before = pod.resident_mib()
    fill(pod, 500)
    return pod.resident_mib() - before


def fill(pod: Serving, count: int) -> None:
    for number in range(count):
        rows = [[number + row / 1000, row * 1.5] for row in range(1500)]
        assert pod.request("/invocations", {"inputs": rows})[0] == 200


def test_what_is_remembered_takes_no_more_memory_than_is_promised(tmp_path):
    grown = []
    for name, variables in (("plain", {}), ("remembering", remembering())):
        folder = tmp_path / name
        folder.mkdir()
        bundle = planted_bundle(folder, Weighted(seconds=0), "7")
        with serving(folder, bundle, **variables) as pod:
            grown.append(grown_mib(pod))
    print(f"grown by {grown[0]:.1f} MiB without, {grown[1]:.1f} MiB with")
    assert grown[1] - max(grown[0], 0.0) <= MEMORY_MIB
