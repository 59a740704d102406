"""Tags that hold: what people and the library write is read, and whatever it is, it holds."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_registry import client as mlflow_client
from pennant_registry import hold_tags
from pennant_registry.errors import RegistryError
from pennant_registry.hold_form import (
    HOLD_AUTHOR_LIMIT,
    HOLD_REASON_LIMIT,
    LET_THROUGH_LIMIT,
    Hold,
    hold_tag,
    hold_text,
    holds_among,
    read_hold,
)
from pennant_registry.names import TAG_VALUE_LIMIT, stage_suffix, tag_key_problem
from pennant_registry.versions import Version

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Not before the launch", "Not before the launch"),
        (" two\nlines\t\x1b[31mred\u202e ", "two lines [31mred"),
        ("", "no reason is given"),
        ("true", "true"),
        ('["8"]', '["8"]'),
        ("{}", "no reason is given"),
        ('{"reason": null}', "no reason is given"),
        ('{"reason": 7}', "7"),
        ("x" * 5000, "x" * (HOLD_REASON_LIMIT - 1) + "…"),
    ],
)
def test_what_a_person_writes_is_the_reason(text: str, reason: str):
    assert read_hold(text) == Hold(reason)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{not json}", "(Expecting property name"),
        ('{"until": "tomorrow"}', "(until 'tomorrow' is no time: write such as"),
        ('{"until": "2026-12-01T08:00:00"}', "(until '2026-12-01T08:00:00' has no time zone"),
        ('{"until": "2026-12-01"}', "(until '2026-12-01' has no time zone"),
        ('{"until": 1796112000}', "(until 1796112000 is no time"),
        ('{"until": ""}', "(until '' is no time"),
        ('{"until": "0001-01-01T00:00:00+14:00"}', "(date value out of range"),
        ('{"except": "8"}', "(except is no list of versions"),
        ('{"except": ["v8"]}', "(except names 'v8', which is no number"),
        ('{"a": ' + "[" * 4000, "(maximum recursion depth"),
    ],
)
def test_what_cannot_be_read_holds_and_says_how_to_mend_it(text: str, words: str):
    hold = read_hold(text)
    assert words in hold.reason
    assert hold.reason.endswith("plain text, or hold it anew with pennant_registry.hold")
    assert hold.until is None


def test_who_and_since_when_decide_nothing_and_spoil_nothing():
    hold = read_hold('{"reason": "why", "since": "long ago", "by": ["ann"], "until": null, "x": 1}')
    assert hold == Hold("why", by="['ann']")
    assert len(str(read_hold('{"by": "' + "b" * 4000 + '"}').by)) == HOLD_AUTHOR_LIMIT


def test_a_time_is_one_wherever_it_was_written():
    berlin = read_hold('{"until": "2026-11-21T14:00:00+01:00"}')
    assert berlin.until == LATER
    assert berlin.in_force(LATER - timedelta(microseconds=1))
    assert not berlin.in_force(LATER)


@given(
    st.text(min_size=1, max_size=HOLD_REASON_LIMIT),
    st.text(max_size=HOLD_AUTHOR_LIMIT),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.datetimes(timezones=st.just(timezone(timedelta(hours=-3)))),
    st.lists(st.integers(1, 2**31 - 1).map(str), max_size=LET_THROUGH_LIMIT),
)
def test_what_is_written_fits_a_tag_and_is_read_as_it_was(reason, by, since, until, through):
    until = until and until.replace(year=max(until.year, 2), microsecond=0)
    since = since and since.replace(microsecond=0)
    read = read_hold(hold_text(Hold(reason, by, since, until, let_through=tuple(through))))
    assert (read.since, read.until) == (since, until)
    assert read.let_through == tuple(through)
    assert read_hold(hold_text(read)) == read
    assert len(hold_text(read)) <= TAG_VALUE_LIMIT


@given(st.text(max_size=200))
def test_whatever_stands_in_the_tag_it_is_a_hold_and_one_line(text):
    assert str(read_hold(text)).isprintable()
    assert str(read_hold('{"reason": ' + text)).isprintable()


def test_versions_are_let_through_up_to_a_number_the_newest_count():
    hold = Hold("why", let_through=tuple(map(str, range(1, LET_THROUGH_LIMIT + 2))))
    assert read_hold(hold_text(hold)).let_through == hold.let_through[1:]


def test_the_tags_of_one_alias_are_no_others():
    key = hold_tag("production")
    tags = {
        key: "all",
        f"{key}.8": "eight",
        f"{key}.08": "no version",
        f"{key}.8.9": "no version",
        f"{key}-2": "another alias",
        f"{key}-2.8": "another alias",
        "pennant.hold.stage.Production": "a stage",
        "pennant.hold.stage.8": "version 8 of the alias stage",
        "pennant.hold.stage": "the alias stage",
        "pennant.hold": "nothing",
    }
    holds = holds_among(tags, "production")
    assert (holds.whole, holds.by_version) == (
        Hold("all", tag=key),
        {"8": Hold("eight", version="8", tag=f"{key}.8")},
    )
    assert holds_among(tags, stage_suffix("Production")).keys == {""}
    assert holds_among(tags, "stage").keys == {"", "8"}
    assert holds_among(tags, "canary").keys == set()


def test_a_version_is_under_its_own_hold_first_and_then_under_the_whole_ones():
    tags = {"pennant.hold.a": '{"reason": "all", "except": [9]}', "pennant.hold.a.8": "eight"}
    holds = holds_among(tags, "a")
    reasons = [getattr(holds.on(number, NOW), "reason", None) for number in "789"]
    assert reasons == ["all", "eight", None]
    every = [[hold.reason for hold in holds.every_on(number, NOW)] for number in "789"]
    assert every == [["all"], ["eight", "all"], []]
    over = replace(holds, whole=replace(Hold("over"), until=NOW), by_version={})
    assert over.on("8", NOW) is None


def test_a_key_that_no_mlflow_takes_is_a_problem():
    assert tag_key_problem("k" * 250) is None
    assert "would have 251 characters" in str(tag_key_problem("k" * 251))


def test_it_says_who_since_when_until_when_and_why():
    hold = Hold("incident 12", "ann@laptop", NOW, LATER)
    assert str(hold) == (
        "held in the registry by ann@laptop since 2026-11-21T12:00:00Z until 2026-11-21T13:00:00Z:"
        " incident 12"
    )
    assert str(Hold("why")) == "held in the registry: why"


def test_whoever_overrides_lets_a_version_through_all_holds_that_it_is_under(monkeypatch):
    tags = {"pennant.hold.a": "all", "pennant.hold.a.8": "eight"}
    client = SimpleNamespace(
        get_registered_model=lambda _name: SimpleNamespace(tags=tags),
        set_registered_model_tag=lambda _name, key, value: tags.update({key: value}),
        delete_registered_model_tag=lambda _name, key: tags.pop(key),
    )
    monkeypatch.setattr(mlflow_client, "asking", lambda _client: contextlib.nullcontext())
    of = SimpleNamespace(suffix="a", holders=lambda _client, _name: [])
    version = Version("news", 8, None, "", {})
    holds = hold_tags.holds_on(client, "news", of)
    with hold_tags.let_through(client, version, of, holds.every_on("8", NOW)):
        left = hold_tags.holds_on(client, "news", of)
        assert (left.on("8", NOW), left.keys) == (None, {""})
    before = dict(tags) | {"pennant.hold.a": "all", "pennant.hold.a.8": "eight"}
    tags.update(before)
    with (
        pytest.raises(RegistryError),
        hold_tags.let_through(client, version, of, holds.every_on("8", NOW)),
    ):
        raise RegistryError("the move failed")
    assert tags == before
