"""What the driver takes for "it happened", from a ModelDeployment's status and kubectl's lines."""

import pytest

from newsreco.loadgen_report import FRESH, Row
from pennant_dev.demo.acts import rejected, serves, why
from pennant_dev.demo.kube import Stream, poll
from pennant_dev.demo.pods import job, pod
from pennant_dev.demo.traffic import by_version
from pennant_dev.demo.watch import changes
from pennant_dev.shell import DevError
from pennant_testing.waiting import until

pytestmark = pytest.mark.unit


def test_a_version_serves_once_status_says_so():
    assert serves("2") == "{.status.serving.version}=2"


def test_a_rejection_is_found_by_version_and_told_with_its_reason():
    record = {"version": "3", "reason": "LoadFailed", "message": "no module named gone"}
    assert rejected("3") == '{.status.rejected[?(@.version=="3")].reason}'
    assert why({"rejected": [{"version": "2"}, record]}, "3") == "LoadFailed: no module named gone"


def test_a_line_that_differs_in_age_only_is_not_printed_again():
    lines = ["NAME READY AGE", "x True 1s", "x True 9s", "x False 10s", "x True 11s"]
    assert list(changes(lines)) == [lines[0], lines[1], lines[3], lines[4]]


def test_answers_are_counted_by_version_and_failures_apart():
    rows = [Row(0, 0, FRESH, 200, version, "", "") for version in ("2", "1", "2")]
    rows.append(Row(0, 0, FRESH, 0, "", "", "OSError: refused"))
    assert by_version(rows) == "v1: 1, v2: 2, failed: 1"


def test_waiting_ends_with_a_sentence_that_names_what_did_not_happen():
    with pytest.raises(DevError, match="MLflow does not end: still waiting after 0 s"):
        poll(lambda: False, "MLflow does not end", seconds=0, interval=0)


def test_half_a_line_of_a_command_that_was_ended_is_none():
    taken = list[str]()
    stream = Stream(["printf", "whole\\nhal"], taken.extend, writable=False)
    until(lambda: stream.ended)
    stream.stop()
    assert taken == ["whole\n"]


def test_a_job_is_never_tried_twice_as_each_try_would_register_a_version():
    assert job("train", ["python"])["spec"]["backoffLimit"] == 0
    assert pod("toolbox", ["sleep"])["spec"]["restartPolicy"] == "Never"
