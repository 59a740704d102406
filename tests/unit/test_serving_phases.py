"""The seconds of a start."""

import json
import time

import pytest

from pennant_serving.lifecycle import phases as module
from pennant_serving.lifecycle.phases import Phases, age

pytestmark = pytest.mark.unit


def test_a_phase_that_is_entered_again_goes_on_counting():
    phases = Phases()
    with phases.phase("list"):
        pass
    first = phases.seconds["list"]
    with phases.phase("download"), phases.phase("list"):
        pass
    assert list(phases.seconds) == ["list", "download"]
    assert phases.seconds["list"] > first


def test_a_phase_that_raises_is_counted_too():
    phases = Phases()
    with pytest.raises(ValueError, match="no"), phases.phase("load"):
        raise ValueError("no")
    assert phases.seconds["load"] > 0


def test_the_line_tells_the_moment_the_phases_and_what_was_noted():
    phases = Phases()
    phases.imported()
    with phases.phase("self-test") as notes:
        notes.append("skipped")
    line = json.loads(phases.line("ready"))
    assert list(line) == ["event", "time", "seconds", "phases", "notes"]
    assert list(line["phases"]) == ["process", "import", "self-test"]
    assert line["notes"] == {"self-test": "skipped"}
    assert abs(line["time"] - time.time()) < 60
    assert 0 <= line["phases"]["process"] < line["seconds"]


def test_the_age_of_a_process_is_counted_by_the_kernel():
    first = age()
    assert 0 < first <= age()


def test_where_no_kernel_says_it_the_age_is_counted_from_our_first_line(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "STAT", tmp_path / "none")
    first = age()
    assert 0 < first <= age()
