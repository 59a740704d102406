"""What records and tags tell of a moment, and what of it nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pennant_registry.moments import Moment, moment
from pennant_registry.moves import Move
from pennant_registry.places import parse_place, serving_note
from pennant_registry.pointers import Alias
from pennant_registry.versions import Version

pytestmark = pytest.mark.unit

PRODUCTION = Alias("production")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = parse_place("eu-1/news/rec")
# ann promoted 1 at noon, bob 2 an hour later.
FIRST, SECOND = Move(1, None, "ann", NOON), Move(2, 1, "bob", NOON + HOUR)


def version(number: int, *, since: datetime | None = None, created: datetime = NOON) -> Version:
    tags = {PLACE.tag: serving_note(since.isoformat(), None, good=True)} if since else {}
    return Version("news", number, None, "", tags, created=created)


def seen(at: datetime, *moves: Move, current: int | None = 2, versions: tuple[Version, ...] = ()):
    newest_first = sorted(moves, key=lambda move: move.at, reverse=True)
    return moment(at, newest_first, current, PRODUCTION, versions)


def test_between_two_moves_it_was_where_the_first_one_put_it_and_by_whom():
    at = NOON + HOUR / 2
    assert seen(at, FIRST, SECOND) == Moment(at, 1, FIRST, None, {}, ())


def test_after_the_last_move_it_is_where_it_is_now():
    at = NOON + 5 * HOUR
    assert seen(at, FIRST, SECOND) == Moment(at, 2, SECOND, None, {}, ())


def test_before_all_records_only_what_the_next_one_came_from_is_known():
    assert seen(NOON - HOUR, SECOND).version == 1
    before = seen(NOON - HOUR, FIRST, SECOND)
    assert (before.version, before.move) == (None, None)
    assert before.doubt == "no record says how alias production got where it was"


def test_a_move_without_a_record_in_between_is_in_doubt():
    later = replace(SECOND, previous=7)
    assert seen(NOON + HOUR / 2, FIRST, later).doubt == (
        "the next record, of 2026-03-01T13:00:00+00:00, says that alias production came from"
        " version 7: it was moved in between, and no record says when"
    )


@pytest.mark.parametrize(("current", "now"), [(9, "is at version 9"), (None, "holds no version")])
def test_where_it_is_now_by_no_record_nobody_knows_since_when(current: int | None, now: str):
    doubt = seen(NOON + 5 * HOUR, FIRST, SECOND, current=current).doubt
    assert doubt == f"alias production {now} now, and no record says since when"


def test_what_serves_since_before_served_then_and_of_what_began_later_nobody_knows():
    versions = (version(1), version(2, since=NOON + HOUR))
    assert seen(NOON + 2 * HOUR, FIRST, SECOND, versions=versions).served == {str(PLACE): 2}
    early = seen(NOON, FIRST, SECOND, versions=versions)
    assert (early.served, early.not_known) == ({}, (str(PLACE),))


def test_of_two_that_are_said_to_serve_the_later_one_took_over():
    both = (version(2, since=NOON + HOUR), version(1, since=NOON))
    for versions in (both, both[::-1]):
        assert seen(NOON + 2 * HOUR, FIRST, SECOND, versions=versions).served == {str(PLACE): 2}
        assert seen(NOON + HOUR / 2, FIRST, SECOND, versions=versions).served == {str(PLACE): 1}


def test_a_tag_that_was_copied_from_another_version_says_nothing():
    copied = version(2, since=NOON, created=NOON + HOUR)
    assert seen(NOON + 2 * HOUR, FIRST, SECOND, versions=(copied,)).served == {}
