"""The arithmetic behind the demo's table and the e2e assertions."""

import pytest

from newsreco.loadgen_report import (
    FRESH,
    POOLED,
    Move,
    Row,
    between,
    failures,
    format_line,
    mismatches,
    parse_line,
    reasons,
    timing,
    versions_in_order,
)

pytestmark = pytest.mark.unit


def row(finished, version="1", *, kind=FRESH, status=200, marker=None, error=""):
    marker = f"v{version}" if marker is None else marker
    return Row(finished - 0.01, finished, kind, status, version, marker, error)


def test_a_log_line_reads_back_as_it_was_written_to_the_millisecond():
    rows = [row(12.3456789), row(12.5, status=503, version="", error="")]
    assert parse_line(format_line(rows)) == [
        rows[0]._replace(started=12.336, finished=12.346),
        rows[1],
    ]


def test_a_line_that_is_not_ours_holds_no_rows():
    assert parse_line("UserWarning: something of a library") == []


def test_first_new_and_last_old_answer_count_from_the_move():
    rows = [row(9, "1"), row(11, "1"), row(13, "2"), row(13.5, "1"), row(14, "2")]
    assert timing(rows, Move(at=10, old="1", new="2")) == (3, 3.5)


def test_after_a_rejected_version_the_last_old_answer_is_that_of_what_really_served():
    rows = [row(11, "2"), row(12, "1"), row(12.5, "2")]
    assert timing(rows, Move(at=10, old="3", new="1")) == (2, 2.5)


def test_pooled_and_fresh_connections_can_be_timed_apart():
    rows = [row(12, "2"), row(13, "1", kind=POOLED), row(14, "2", kind=POOLED)]
    assert timing(rows, Move(10, "1", "2"), [FRESH]) == (2, None)
    assert timing(rows, Move(10, "1", "2"), [POOLED]) == (4, 3)


def test_a_version_that_never_answered_has_no_first_answer():
    assert timing([row(11, "2")], Move(10, "2", "3")) == (None, 1)


@pytest.mark.parametrize(
    "bad",
    [
        row(1, status=503),
        row(1, version=""),
        row(1, error="AnswerError: the connection was closed before an answer"),
    ],
)
def test_anything_but_a_complete_answer_of_a_known_version_is_a_failure(bad):
    assert failures([row(0), bad]) == [bad]


def test_failures_are_counted_by_what_went_wrong():
    rows = [row(1), row(2, status=503), row(3, status=503), row(4, error="no answer in 5 s")]
    assert reasons(rows) == {"status 503": 2, "no answer in 5 s": 1}


def test_an_answer_made_by_another_version_than_its_header_says_is_found():
    honest, false = row(1, "1", marker="v1"), row(2, "2", marker="v1")
    assert mismatches([honest, false, row(3, status=503)], {"1": "v1", "2": "v2"}) == [false]


def test_an_answer_of_a_version_nobody_trained_is_a_mismatch():
    assert mismatches([row(1, "9")], {"1": "v1"}) == [row(1, "9")]


def test_rows_between_two_moves_belong_to_the_first():
    rows = [row(9.9), row(10), row(19.9), row(20)]
    assert between(rows, 10, 20) == rows[1:3]


def test_versions_come_in_the_order_of_their_first_answers():
    rows = [row(3, "1"), row(1, "2"), row(2, "1"), row(0.5, status=500, version="7")]
    assert versions_in_order(rows) == ["2", "1"]
