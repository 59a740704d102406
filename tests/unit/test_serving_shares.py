"""What a traffic file says, and when it is heeded."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.address import Address
from pennant_serving.traffic.following import TrafficFile
from pennant_serving.traffic.shares import (
    CONTENT_LIMIT_BYTES,
    HandOver,
    Mirror,
    Shares,
    Stickiness,
    TrafficError,
    parse,
)

pytestmark = pytest.mark.unit

TO = "news-candidate.team.svc:80"
CANDIDATE = Address("news-candidate.team.svc", 80)


def content(**changes: Any) -> bytes:
    share = {"to": TO, "revision": "abc123", "version": "8", "percent": "1.5", "salt": "abc123"}
    return json.dumps({"handOver": share | changes}).encode()


def mirror(**changes: Any) -> bytes:
    return json.dumps(
        {"mirror": {"to": "challenger.team.svc:80", "percent": "10"} | changes}
    ).encode()


def test_both_shares_are_read():
    both = content(by={"header": "X-User-Id"})[:-1] + b", " + mirror()[1:]
    assert parse(both) == Shares(
        HandOver(CANDIDATE, "abc123", "8", 15_000, Stickiness(b"x-user-id", False, b"abc123")),
        Mirror(Address("challenger.team.svc", 80), 100_000),
    )


def test_a_cookies_name_stays_as_it_is():
    share = parse(content(by={"cookie": "Session"})).hand_over
    assert share is not None
    assert share.by == Stickiness(b"Session", True, b"abc123")


@pytest.mark.parametrize(
    "nothing", [b"", b" \n", b"{}", content(percent="0"), mirror(percent="0.0")]
)
def test_a_file_that_asks_for_nothing_has_no_shares(nothing: bytes):
    assert not parse(nothing)


@given(st.integers(0, 1_000_000))
def test_a_percentage_is_what_it_says_to_four_decimals(millionths: int):
    whole, rest = divmod(millionths, 10_000)
    shares = parse(content(percent=f"{whole}.{rest:04}"))
    assert (shares.hand_over.millionths if shares.hand_over else 0) == millionths


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"{", "truncated"),
        (b"\xff", "malformed"),
        (b"[" * 4000, "object"),
        (b'{"handOver": {"to": "a:1"}}', "revision"),
        (b" " * (CONTENT_LIMIT_BYTES + 1), "longer than 4096"),
        (content(percent=1), "percent"),
        (content(percent="100.1"), "handOver.percent '100.1'"),
        (content(percent="1e1"), "handOver.percent"),
        (content(percent="-1"), "handOver.percent"),
        (mirror(percent="101"), "mirror.percent"),
        (content(to="candidate"), "handOver.to 'candidate'"),
        (content(to="candidate:0"), "handOver.to"),
        (content(to="http://candidate:80"), "handOver.to"),
        (mirror(to="a:65536"), "mirror.to"),
        (content(revision="a\r\nb: c"), "handOver.revision"),
        (content(by={}), "handOver.by"),
        (content(by={"header": "a", "cookie": "b"}), "handOver.by"),
        (content(by={"header": "a b"}), "handOver.by"),
    ],
)
def test_what_is_no_traffic_file_says_which_field_is_wrong(wrong: bytes, said: str):
    with pytest.raises(TrafficError, match=said.replace(".", r"\.")):
        parse(wrong)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_traffic_file_or_are_none(anything: bytes):
    with contextlib.suppress(TrafficError):
        assert isinstance(parse(anything), Shares)


class Heeded:
    """A file, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "traffic"
        self.shares: list[Shares] = []
        self.unreadable = 0
        self.file = TrafficFile(self.path, self.shares.append, self._count)

    def _count(self) -> None:
        self.unreadable += 1

    def becomes(self, content: bytes) -> None:
        """Another file takes its place, as the kubelet does it."""
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.path)
        self.file.look()
        self.file.look()


def test_a_file_is_heeded_once_each_time_that_it_asks_for_something_else(tmp_path: Path):
    heeded = Heeded(tmp_path)
    heeded.file.look()
    heeded.becomes(b"")
    heeded.becomes(content())
    heeded.becomes(content() + b" ")
    heeded.becomes(content(percent="0"))
    assert heeded.shares == [parse(content()), Shares()]


def test_one_that_cannot_be_read_asks_for_nothing_and_is_counted_once(tmp_path: Path, caplog):
    heeded = Heeded(tmp_path)
    heeded.becomes(content())
    heeded.becomes(b"{")
    assert heeded.shares == [parse(content()), Shares()]
    assert heeded.unreadable == len(caplog.records) == 1


def test_one_that_goes_away_asks_for_nothing(tmp_path: Path):
    heeded = Heeded(tmp_path)
    heeded.becomes(content())
    heeded.path.unlink()
    heeded.file.look()
    assert heeded.shares == [parse(content()), Shares()]
    assert heeded.unreadable == 0


def test_an_address_of_ipv6_is_written_as_it_is_read():
    mirror = parse(b'{"mirror": {"to": "[::1]:80", "percent": "1"}}').mirror
    assert mirror is not None
    assert (mirror.to.host, str(mirror.to)) == ("::1", "[::1]:80")
