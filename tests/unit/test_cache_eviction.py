"""What leaves the cache: never what is in use or was used lately, and no more than must."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.cache.eviction import LATELY_SECONDS, Stored, lately, room_for

pytestmark = pytest.mark.unit

NOW = 1_000_000.0
LONG_AGO = NOW - 2 * LATELY_SECONDS

STORED = st.lists(
    st.builds(
        Stored,
        st.integers(0, 1000).map(lambda n: Path(str(n))),
        bytes=st.integers(0, 20),
        used=st.one_of(st.floats(0, NOW + 100), st.sampled_from((LONG_AGO, NOW - LATELY_SECONDS))),
        in_use=st.booleans(),
        spare=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda each: each.path,
)


def entry(name, size=10, used=LONG_AGO, **facts):
    return Stored(Path(name), size, used, **facts)


@given(STORED, st.integers(0, 60), st.integers(0, 100))
def test_what_goes_may_go_and_what_fits_fits(stored, need, bound):
    room = room_for(need, stored, bound, NOW)
    for each in room.evicted:
        assert not each.in_use
        assert each.spare or not lately(each.used, NOW)
    left = sum(each.bytes for each in stored) - sum(each.bytes for each in room.evicted)
    if room.fits:
        assert left + need <= bound


@given(STORED, st.integers(0, 60), st.integers(0, 100))
def test_it_does_not_fit_only_where_it_would_not_whatever_went(stored, need, bound):
    stay = [e for e in stored if e.in_use or not (e.spare or not lately(e.used, NOW))]
    fits = sum(each.bytes for each in stay) + need <= bound
    assert room_for(need, stored, bound, NOW).fits is fits


@given(STORED, st.integers(0, 60), st.integers(0, 100))
def test_no_more_goes_than_must(stored, need, bound):
    room = room_for(need, stored, bound, NOW)
    wanted = need if room.fits else 0
    if room.evicted:
        without_last = sum(e.bytes for e in stored) - sum(e.bytes for e in room.evicted[:-1])
        assert without_last + wanted > bound


@given(STORED, st.integers(0, 60), st.integers(0, 100))
def test_nothing_stays_that_was_used_before_what_goes(stored, need, bound):
    room = room_for(need, stored, bound, NOW)
    stay = [e for e in stored if e not in room.evicted and not e.in_use]
    for gone in room.evicted:
        for each in stay:
            if each.spare == gone.spare and (each.spare or not lately(each.used, NOW)):
                assert (each.used, each.path) > (gone.used, gone.path)


def test_what_was_not_used_for_longest_goes_first():
    older, newer = entry("older", used=LONG_AGO - 1), entry("newer")
    assert room_for(5, [newer, older], 20, NOW).evicted == (older,)


def test_what_only_saves_downloads_goes_before_any_entry():
    wheels = entry("uv", used=NOW, spare=True)
    assert room_for(5, [entry("old"), wheels], 20, NOW).evicted == (wheels,)


def test_nothing_goes_for_what_will_not_fit():
    room = room_for(30, [entry("old")], 20, NOW)
    assert (room.evicted, room.fits) == ((), False)


def test_a_bound_that_was_lowered_is_kept_though_the_new_one_does_not_fit():
    room = room_for(30, [entry("old"), entry("used", used=NOW)], 15, NOW)
    assert (room.evicted, room.fits) == ((entry("old"),), False)
