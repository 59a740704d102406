"""Which requests a share takes: by counting exactly, by who asks for good."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.address import Address
from pennant_serving.traffic.choosing import Chooser, Counter, Predictions, is_of_share, value_of
from pennant_serving.traffic.shares import MILLIONTHS, HandOver, Mirror, Shares, Stickiness

pytestmark = pytest.mark.unit

TO = Address("candidate", 80)
BY_USER = Stickiness(b"x-user-id", is_cookie=False, salt=b"r8")
HOST = (b"host", b"news")


def predictions() -> Predictions:
    return Predictions("a model", lambda _, path: path.startswith("/recommend/"))


def chooser(
    millionths: int = 0, *, mirrored: int = 0, by: Stickiness | None = None, seed: int = 0
) -> Chooser:
    hand_over = HandOver(TO, "r8", "8", millionths, by) if millionths else None
    mirror = Mirror(TO, mirrored) if mirrored else None
    return Chooser(Shares(hand_over, mirror), predictions(), Random(seed))


def kinds(chosen: Chooser, times: int, *headers: tuple[bytes, bytes]) -> list[str]:
    asked = [chosen.choose(b"POST", b"/invocations", [HOST, *headers]) for _ in range(times)]
    return [type(each).__name__ for each in asked]


@given(st.integers(0, MILLIONTHS), st.integers(0, 500), st.integers())
def test_after_any_number_of_requests_the_share_is_met_to_one(millionths, times, seed):
    counter, taken = Counter(millionths, Random(seed)), 0
    for number in range(1, times + 1):
        taken += counter.takes()
        assert abs(taken - number * millionths / MILLIONTHS) < 2
        assert abs(taken - number * millionths // MILLIONTHS) <= 1


@pytest.mark.parametrize(("millionths", "taken"), [(0, 0), (MILLIONTHS, 1000)])
def test_of_a_share_of_nothing_none_and_of_all_each_is_taken(millionths: int, taken: int):
    counter = Counter(millionths, Random(0))
    assert sum(counter.takes() for _ in range(1000)) == taken


@pytest.mark.parametrize("percent", [1, 25, 50, 99])
def test_processes_that_are_asked_little_take_their_share_together(percent: int):
    counters = [Counter(percent * 10_000, Random(seed)) for seed in range(4000)]
    taken = sum(counter.takes() for counter in counters for _ in range(5))
    assert taken / 20_000 == pytest.approx(percent / 100, abs=0.01)


@pytest.mark.parametrize("rhythm", [2, 3, 4])
def test_a_client_that_asks_in_a_rhythm_has_its_share(rhythm: int):
    counter = Counter(MILLIONTHS // rhythm, Random(0))
    taken = [counter.takes() for _ in range(12_000)]
    for client in range(rhythm):
        own = taken[client::rhythm]
        assert sum(own) / len(own) == pytest.approx(1 / rhythm, abs=0.05)


@given(st.binary(max_size=40), st.lists(st.integers(0, MILLIONTHS), min_size=2).map(sorted))
def test_who_is_of_a_share_is_of_every_larger_one(value: bytes, shares: list[int]):
    for less, more in pairwise(shares):
        assert is_of_share(b"r8", value, less) <= is_of_share(b"r8", value, more)
    assert not is_of_share(b"r8", value, 0)
    assert is_of_share(b"r8", value, MILLIONTHS)


def test_a_share_of_users_is_as_large_as_it_is_and_another_one_with_another_salt():
    def of(salt: bytes) -> set[int]:
        return {user for user in range(10_000) if is_of_share(salt, b"%d" % user, 250_000)}

    assert len(of(b"r8")) == pytest.approx(2500, abs=150)
    assert len(of(b"r8") & of(b"r9")) == pytest.approx(625, abs=100)


def test_who_is_told_apart_keeps_to_one_version_and_all_others_stay_here():
    chosen = chooser(500_000, by=BY_USER)
    for user in range(20):
        assert len(set(kinds(chosen, 5, (b"x-user-id", b"%d" % user)))) == 1
    assert set(kinds(chosen, 20)) == {"NoneType"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"session=7", b"7"),
        (b"a=1; session=7; b=2", b"7"),
        (b"a=session=8;session=7=x", b"7=x"),
        (b"Session=7", None),
        (b"session", None),
        (b"", None),
    ],
)
def test_a_cookie_is_found_by_its_name(header: bytes, value: bytes | None):
    by = Stickiness(b"session", is_cookie=True, salt=b"")
    assert value_of(by, [HOST, (b"cookie", header)]) == value


@pytest.mark.parametrize(
    ("method", "target", "is_one"),
    [
        (b"POST", b"/invocations", True),
        (b"POST", b"/v2/models/a%20model/infer", True),
        (b"POST", b"/v2/models/a%20model/infer?x=1", True),
        (b"GET", b"/recommend/U106", True),
        (b"POST", b"/recommend/U106", True),
        (b"HEAD", b"/recommend/U106", False),
        (b"GET", b"/invocations", False),
        (b"POST", b"/v2/models/a%20model/versions/7/infer", False),
        (b"POST", b"/v2/models/another/infer", False),
        (b"GET", b"/v2/models/a%20model", False),
        (b"GET", b"/v2/health/ready", False),
        (b"GET", b"/metrics", False),
        (b"GET", b"/pennant/rehearsal", False),
        (b"GET", b"/nowhere", False),
    ],
)
def test_only_predictions_are_shared(method: bytes, target: bytes, is_one: bool):
    assert predictions().includes(method, target) is is_one


@pytest.mark.parametrize("header", [b"pennant-handed-over", b"pennant-mirrored"])
def test_what_another_pod_sent_here_goes_no_further_and_counts_for_no_share(header: bytes):
    chosen = chooser(500_000, mirrored=500_000)
    assert set(kinds(chosen, 50, (header, b"r7"))) == {"NoneType"}
    assert kinds(chosen, 100).count("HandOver") == pytest.approx(50, abs=1)


def test_of_those_that_stay_here_a_share_is_copied():
    chosen = kinds(chooser(250_000, mirrored=500_000), 400)
    assert chosen.count("HandOver") == pytest.approx(100, abs=1)
    assert chosen.count("Mirror") == pytest.approx(150, abs=1)
