"""The picture says what the log says, and is well-formed XML."""

import xml.etree.ElementTree as ET

import pytest

from newsreco.loadgen_report import FRESH, Move, Row
from pennant_dev.demo import picture
from pennant_dev.demo.story import Act, Story

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"


def row(finished, version, **changes):
    return Row(finished, finished, FRESH, 200, version, f"v{version}", "")._replace(**changes)


def story(*, failing=False):
    rows = [row(1000 + n / 10, "1" if n < 200 else "2") for n in range(400)]
    if failing:
        rows[100] = rows[100]._replace(status=503)
    acts = [
        Act(1, "v1 <serves> & waits", 1000, 1010),
        Act(2, "v2 is promoted", 1010, 1040, Move(1018, "1", "2")),
    ]
    return Story(acts, rows, {"1": "v1", "2": "v2", "3": "v3"}, outage=(1030, 1035))


def drawn(**changes):
    return ET.fromstring(picture.draw(story(**changes)))


def words(root):
    return [each.text for each in root.iter(f"{SVG}text")]


def test_each_version_that_answered_has_an_area_and_a_line_in_the_legend():
    root = drawn()
    assert len(list(root.iter(f"{SVG}polygon"))) == 2
    assert [each for each in words(root) if each.startswith("answered by")] == [
        "answered by v1",
        "answered by v2",
    ]


def test_axes_acts_and_outage_are_named():
    shown = words(drawn())
    assert {"requests per second", "0 s", "20 s", "alias", "MLflow", "down"} <= set(shown)
    assert "v2 is promoted" in shown


def test_failures_are_crossed_and_counted():
    whole, failing = drawn(), drawn(failing=True)
    assert "400 requests, 0 failed" in words(whole)
    assert "400 requests, 1 failed" in words(failing)
    crosses = [len(list(root.iter(f"{SVG}path"))) for root in (whole, failing)]
    assert crosses == [1, 2]  # the legend's, and the failed one


def test_the_alias_lane_changes_when_the_alias_moved_not_when_the_answers_did():
    assert list(picture.alias_spans(story(), 1040)) == [(1000, 1018, "1"), (1018, 1040, "2")]


def test_only_whole_seconds_are_drawn():
    assert set(picture.per_second(story())) == set(range(1001, 1039))


def test_a_story_without_requests_can_be_drawn():
    ET.fromstring(picture.draw(Story()))


def test_seconds_in_which_nobody_was_answered_are_empty_and_there():
    waited = story()
    waited.rows = [each for each in waited.rows if not 1010 <= each.finished < 1013]
    seconds = picture.per_second(waited)
    assert [*seconds] == [*range(1001, 1039)]
    assert [seconds[time].total() for time in (1009, 1010, 1012, 1013)] == [10, 0, 0, 10]
