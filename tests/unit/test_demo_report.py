"""The demo's table and verdict, from a made-up log."""

import pytest

from newsreco.loadgen_report import FRESH, Move, Row
from pennant_dev.demo.heard import Heard, heard
from pennant_dev.demo.report import alias_to_answer, problems, table
from pennant_dev.demo.story import Act, Story

pytestmark = pytest.mark.unit


LOGGED = "2026-11-21 12:00:00,000 INFO pennant_operator.observe: registry default"
HOOK = f"1970-01-01T00:00:{{}}Z {LOGGED}: a webhook tells of alias production of model news\n"
MOVED = f"1970-01-01T00:00:11.500Z {LOGGED}: alias production of model news is version 2, was 1\n"


def row(finished, version, **changes):
    return Row(finished, finished, FRESH, 200, version, f"v{version}", "")._replace(**changes)


def story(*rows):
    acts = [
        Act(1, "v1 serves", 0, 10),
        Act(2, "v2 is promoted", 10, 20, Move(11, "1", "2")),
        Act(3, "a broken v3", 20, 30, Move(21, "2", "3")),
    ]
    return Story(acts=acts, rows=list(rows), markers={"1": "v1", "2": "v2", "3": "v3"})


GOOD = [row(5, "1"), row(12, "1"), row(15.5, "2"), row(17.25, "1"), row(25, "2")]


def test_the_table_has_a_line_for_each_act_and_one_for_all():
    lines = table(story(*GOOD)).splitlines()
    assert [line.split()[0] for line in lines if line[0] != "-"] == ["act", "1.", "2.", "3.", "all"]
    assert lines[-1].split() == ["all", "5", "0"]


def test_an_act_with_a_move_shows_its_first_new_and_last_old_answer():
    (line,) = [line for line in table(story(*GOOD)).splitlines() if line.startswith("2.")]
    assert " ".join(line.split()) == "2. v2 is promoted v1 -> v2 - 4.5 s 6.2 s 3 0"


def test_a_version_that_never_answered_shows_no_times():
    (line,) = [line for line in table(story(*GOOD)).splitlines() if line.startswith("3.")]
    assert " ".join(line.split()) == "3. a broken v3 v2 -> v3 - - - 1 0"


def test_an_act_whose_move_came_by_webhook_says_when_it_was_heard():
    found = story(*GOOD)
    found.heard = [*heard([HOOK.format("10.900000001"), HOOK.format("11.25"), MOVED])]
    (line,) = [line for line in table(found).splitlines() if line.startswith("2.")]
    assert " ".join(line.split()) == "2. v2 is promoted v1 -> v2 0.0 s 4.5 s 6.2 s 3 0"
    assert alias_to_answer(found) == "from alias to answer: v2 answered after 4.5 s (by webhook)"


def test_without_a_webhook_it_was_the_poll():
    assert alias_to_answer(story(*GOOD)).endswith("v2 answered after 4.5 s (by poll)")


def test_the_operators_log_tells_of_webhooks_and_moves_and_of_nothing_else():
    lines = [HOOK.format("11.25"), MOVED, "1970-01-01T00:00:12Z leading as a_b", "", "rubbish"]
    assert [*heard(lines)] == [Heard(11.25, "production"), Heard(11.5, "production", "2")]


def test_nothing_is_wrong_with_a_good_demo():
    assert problems(story(*GOOD)) == []


def test_failed_requests_are_named_with_what_went_wrong():
    assert problems(story(*GOOD, row(8, "", status=503))) == ["1 requests failed: status 503"]


def test_an_answer_that_contradicts_its_header_is_a_problem():
    (problem,) = problems(story(*GOOD, row(8, "2", marker="v1")))
    assert "1 answers disagree with their version header" in problem


def test_a_demo_without_traffic_proves_nothing():
    assert problems(story()) == ["no request was made"]


def test_errors_of_the_version_that_went_back_are_counted_apart_and_are_no_problem():
    shown = story(*GOOD, row(28, "3", status=500))
    shown.went_back = "3"
    assert table(shown).splitlines()[-1].split() == ["all", "6", "0", "and", "1", "of", "v3"]
    assert problems(shown) == []


def test_errors_of_another_version_and_what_broke_off_are_problems_then_too():
    shown = story(row(27, "2", status=500), row(28, "3", status=500), row(29, "", error="reset"))
    shown.went_back = "3"
    assert problems(shown) == ["1 requests failed: status 500", "1 requests failed: reset"]


def test_a_version_that_went_back_without_an_error_is_a_problem():
    shown = story(*GOOD)
    shown.went_back = "3"
    assert problems(shown) == ["version 3 went back, and none of its answers had failed"]
