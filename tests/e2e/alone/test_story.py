"""What the traffic saw: an alias move, a broken version, an outage, a rollback, and judgement."""

import pytest

from newsreco.loadgen_report import FRESH, POOLED, between, versions_in_order
from pennant_dev.demo import acts, report
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.stage import URL, Stage
from pennant_dev.demo.story import Act, Story
from pennant_dev.demo.traffic import READERS, Traffic
from pennant_testing.cluster.sampler import Sampler

pytestmark = pytest.mark.e2e

MOVES = {
    2: "an alias move",
    3: "a rejected version",
    5: "a rollback",
    6: "a version that is held",
    7: "an approval",
    8: "a rehearsal",
}


@pytest.fixture(scope="module")
def story(kube: Kube, sampler: Sampler) -> Story:
    """The demo's acts, played under steady traffic."""
    sampler.look_at(NAMESPACE)
    return acts.play(Stage(kube, Traffic(kube, URL, options=READERS)))


def act(story: Story, number: int) -> Act:
    return next(each for each in story.acts if each.number == number)


@pytest.mark.parametrize("number", MOVES, ids=MOVES.values())
def test_no_request_fails_in_twenty_seconds_of_traffic_around(story: Story, number: int):
    played = act(story, number)
    assert played.move is not None
    start = min(played.begun, played.move.at - 5)
    # What comes after the eighth act is to fail: then what was before an act counts too.
    end = min(max(played.ended, start + 21), act(story, 9).begun)
    rows = between(story.rows, min(start, end - 21), end)
    seconds = max(row.finished for row in rows) - min(row.started for row in rows)
    assert seconds >= 20
    assert len(rows) / seconds >= 50
    assert {row.kind for row in rows} == {FRESH, POOLED}
    assert [row for row in rows if row.failed] == []


def test_no_request_fails_at_all_and_no_answer_is_of_another_version_than_it_says(story: Story):
    assert report.problems(story) == []


@pytest.mark.parametrize("number", [2, 5, 7])
def test_traffic_follows_the_alias_and_the_old_version_stops_answering(story: Story, number: int):
    played = act(story, number)
    assert played.move is not None
    seen = story.timing_of(played)
    assert seen.first_new is not None
    assert seen.last_old is not None
    late = between(story.rows_of(played), played.move.at + seen.last_old + 0.1, played.ended)
    assert versions_in_order(late) == [played.move.new]


@pytest.mark.parametrize("number", [3, 6, 8])
def test_a_version_that_is_refused_before_it_has_the_traffic_never_answers(
    story: Story, number: int
):
    refused = act(story, number).move
    assert refused is not None
    assert refused.new not in versions_in_order(story.rows)


def test_traffic_goes_back_from_a_version_by_its_answers(story: Story):
    played = act(story, 9)
    rows = story.rows_of(played)
    assert story.shown_failing(rows) >= 1
    assert played.move is not None
    wrong = [row for row in rows if row.version == played.move.new]
    # From its twentieth request to its last answer, on kept connections too.
    assert max(row.finished for row in wrong) - sorted(row.finished for row in wrong)[19] < 20
    assert versions_in_order(rows)[0] == max(rows, key=lambda row: row.finished).version


def test_a_registry_outage_and_a_restarted_pod_change_no_answer(story: Story):
    assert story.outage is not None
    during = between(story.rows, *story.outage)
    assert len(versions_in_order(during)) == 1
    assert [row for row in during if row.failed] == []
