"""What a client may do for how long: one pure decision for all connections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.http.connections.limits import (
    BEYOND_SECONDS,
    HEAD_LIMIT_BYTES,
    IDLE_SECONDS,
    LEAVING_SECONDS,
    LINGER_SECONDS,
    SLOWEST_BYTES_PER_SECOND,
    ConnectionLimits,
    Facts,
    Motion,
    Pace,
    Verdict,
    allowed_seconds,
    is_head_too_long,
    verdict,
)
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

LIMITS = ConnectionLimits(max_age=2.0, timeout=30.0, max_connections=64)
SECONDS = st.floats(0, 10_000)
MOTIONS = st.builds(
    lambda seconds, share, moved: Motion(seconds, seconds * share, moved),
    SECONDS,
    st.floats(0, 1),
    st.integers(0, 2**40),
)
FACTS = st.builds(
    Facts,
    arriving=st.none() | MOTIONS,
    leaving=st.none() | MOTIONS,
    idle=st.none() | SECONDS,
    is_beyond=st.booleans(),
    is_crowded=st.booleans(),
    is_draining=st.booleans(),
    is_lingering=st.booleans(),
)
STILL = Motion(30.1, 30.1, 0)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), Verdict.KEEP),
        (Facts(arriving=STILL), Verdict.TOO_LATE),
        (Facts(leaving=STILL), Verdict.CUT),
        (Facts(arriving=STILL, leaving=STILL), Verdict.CUT),
        (Facts(arriving=Motion(29.9, 29.9, 0)), Verdict.KEEP),
        (Facts(arriving=Motion(31, 0, SLOWEST_BYTES_PER_SECOND)), Verdict.KEEP),
        (Facts(arriving=Motion(31, 0, SLOWEST_BYTES_PER_SECOND - 9)), Verdict.TOO_LATE),
        (Facts(leaving=Motion(31, 0, 31)), Verdict.CUT),  # a byte now and then
        (Facts(arriving=Motion(40, 31, 2**30)), Verdict.TOO_LATE),  # a burst, and then nothing
        (Facts(leaving=Motion(3, 3, 0), is_draining=True), Verdict.CUT),
        (Facts(arriving=Motion(2, 2, 0), is_beyond=True), Verdict.TOO_LATE),
        (Facts(idle=IDLE_SECONDS - 1), Verdict.KEEP),
        (Facts(idle=IDLE_SECONDS + 1), Verdict.CLOSE),
        (Facts(idle=2.1, is_crowded=True), Verdict.CLOSE),
        (Facts(idle=LINGER_SECONDS + 0.1, is_lingering=True), Verdict.CLOSE),
        (Facts(idle=BEYOND_SECONDS + 0.1, is_beyond=True), Verdict.CLOSE),
    ],
    ids=repr,
)
def test_a_client_is_told_to_go_when_its_time_is_over(facts, expected):
    assert verdict(LIMITS, facts) is expected


@examples(300)
@given(FACTS)
def test_whoever_keeps_moving_fast_enough_is_never_cut_off(facts):
    def steady(motion):
        return motion and Motion(
            motion.seconds, 0.0, int(motion.seconds * SLOWEST_BYTES_PER_SECOND) + 1
        )

    going = replace(facts, arriving=steady(facts.arriving), leaving=steady(facts.leaving))
    assert verdict(LIMITS, going) in (Verdict.KEEP, Verdict.CLOSE)


@examples(300)
@given(FACTS)
def test_nobody_who_does_not_move_stays(facts):
    seconds = allowed_seconds(LIMITS, facts) + 0.1
    still = replace(facts, leaving=Motion(seconds, seconds, 0))
    assert verdict(LIMITS, still) is Verdict.CUT
    late = replace(facts, leaving=None, arriving=Motion(seconds, seconds, 2**50))
    assert verdict(LIMITS, late) is Verdict.TOO_LATE


@examples(300)
@given(FACTS, st.sampled_from(["is_beyond", "is_crowded", "is_draining"]))
def test_no_trouble_of_ours_gives_a_client_more_time(facts, trouble):
    calm = replace(facts, **{trouble: False})
    worse = replace(facts, **{trouble: True})
    if verdict(LIMITS, calm) is not Verdict.KEEP:
        assert verdict(LIMITS, worse) is not Verdict.KEEP
    assert allowed_seconds(LIMITS, worse) <= allowed_seconds(LIMITS, calm) <= LIMITS.timeout


def test_a_server_that_ends_gives_two_seconds_and_no_more_than_it_would_give_anyway():
    draining = Facts(is_draining=True)
    assert allowed_seconds(LIMITS, draining) == LEAVING_SECONDS
    assert allowed_seconds(replace(LIMITS, timeout=0.5), draining) == 0.5


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 5)), min_size=1))
def test_a_pace_counts_from_its_beginning_and_from_the_last_byte(steps):
    pace, now, moved, latest = Pace(100.0, 7), 100.0, 7, 100.0
    for seconds, more in steps:
        now, moved = now + seconds, moved + more
        latest = now if more else latest
        assert pace.motion(now, moved) == Motion(now - 100.0, now - latest, moved - 7)


def test_a_head_may_be_as_long_as_told_and_that_of_small_chunks_a_multiple_of_them():
    assert not is_head_too_long(HEAD_LIMIT_BYTES, 0)
    assert is_head_too_long(HEAD_LIMIT_BYTES + 1, 0)
    assert not is_head_too_long(HEAD_LIMIT_BYTES + 8000, 1000)
