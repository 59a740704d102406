"""What counts as two writers in an audit log."""

from datetime import timedelta

import pytest

from pennant_testing.control_plane.lease_history import AuditedRequest, strays, tenures
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def write(pod: str, began: float, lasted: float = 0.1) -> AuditedRequest:
    start = NOW + timedelta(seconds=began)
    return AuditedRequest(pod, "patch services", start, start + timedelta(seconds=lasted), 200)


def lease(pod: str, holder: str, began: float, code: int = 200) -> AuditedRequest:
    start = NOW + timedelta(seconds=began)
    return AuditedRequest(pod, "update leases", start, start, code, holder)


HANDED_OVER = [lease("a", "a_1", 0), lease("a", "a_1", 2), lease("a", "", 5), lease("b", "b_1", 6)]


def test_each_that_writes_in_its_own_time_is_no_stray():
    found = [*HANDED_OVER[:2], write("a", 4), *HANDED_OVER[2:], write("b", 6.1), write("b", 7)]
    assert list(strays(found)) == []
    assert [turn.identity for turn in tenures(found)] == ["a_1", "", "b_1"]


@pytest.mark.parametrize(
    "stray",
    [
        pytest.param(write("a", 7), id="the-former-holder-after-the-next-began"),
        pytest.param(write("b", 1), id="the-next-before-its-time"),
        pytest.param(write("a", 4.95), id="under-way-as-the-lease-was-given-back"),
        pytest.param(write("a", 4, lasted=3), id="under-way-as-the-next-began"),
        pytest.param(write("b", 5.5), id="while-nobody-held-it"),
    ],
)
def test_a_write_outside_of_its_pods_time_is_a_stray(stray: AuditedRequest):
    assert list(strays([*HANDED_OVER, stray])) == [stray]


def test_a_lease_that_was_refused_gives_no_time():
    stray = write("b", 4)
    found = [*HANDED_OVER[:2], lease("b", "b_1", 3, code=409), stray]
    assert list(strays(found)) == [stray]


def test_what_came_before_the_first_lease_in_the_log_is_not_judged():
    assert list(strays([write("b", 0), lease("a", "a_1", 1)])) == []
