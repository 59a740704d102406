"""Pins: names, versions and the beginnings of hashes as a short text, and the digest of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.environment import locking
from pennant_serving.environment.asked import AskedEnvironment
from pennant_serving.environment.locking import PINS_CHARACTERS
from pennant_serving.environment.pins import HASH_BYTES, Pin, decode, digest, encode
from pennant_serving.environment.record import PYTHON, EnvironmentRecord
from pennant_serving.environment.report import report
from pennant_serving.environment.settings import PackageIndexes
from pennant_serving.environment.uv import Uv
from pennant_serving.failures import MESSAGE_BYTES, PodError, Reason
from pennant_testing.packages.wheels import wheel

pytestmark = pytest.mark.unit

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}(\+[a-z0-9.]{1,9})?", fullmatch=True)
PINS = st.builds(Pin, NAMES, VERSIONS, st.binary(min_size=32, max_size=32).map(bytes.hex))
ENVIRONMENTS = st.lists(PINS, max_size=40, unique_by=lambda pin: pin.name)


def packages(count: int) -> list[Pin]:
    """So many of those that MLflow's server and the tests need, by their locks."""
    folder = Path(__file__).parents[2] / "requirements"
    text = "".join((folder / f"{lock}.txt").read_text() for lock in ("mlflow", "dev"))
    versions = dict(re.findall(r"^([a-z0-9-]+)==([0-9][\w.]*)", text, re.MULTILINE))
    assert len(versions) > 140
    pinned = list(versions.items())[:count]
    return [Pin(*each, hashlib.sha256(each[0].encode()).hexdigest()) for each in pinned]


@given(ENVIRONMENTS)
def test_what_was_encoded_is_read_with_the_beginning_of_each_hash(pins):
    expected = sorted(Pin(pin.name, pin.version, pin.sha256[: 2 * HASH_BYTES]) for pin in pins)
    assert list(decode(encode(pins))) == expected


@given(ENVIRONMENTS, st.randoms(use_true_random=False))
def test_the_order_of_packages_makes_no_difference(pins, random):
    shuffled = list(pins)
    random.shuffle(shuffled)
    assert (encode(shuffled), digest(shuffled)) == (encode(pins), digest(pins))


@given(ENVIRONMENTS)
def test_the_text_is_the_same_in_json(pins):
    assert json.dumps(encode(pins)) == f'"{encode(pins)}"'


@given(ENVIRONMENTS, PINS)
def test_another_wheel_is_another_digest(pins, other):
    assert digest([*pins, other]) != digest(pins)


def test_the_digest_is_over_sorted_lines():
    pins = [Pin("b", "2.0", "bb" * 32), Pin("a", "1.0", "aa" * 32)]
    lines = f"a==1.0 {'aa' * 32}\nb==2.0 {'bb' * 32}\n"
    assert digest(pins) == hashlib.sha256(lines.encode()).hexdigest()


@given(st.text(max_size=60))
def test_what_is_no_pins_is_refused(text):
    if text != encode([]):
        with pytest.raises(ValueError, match="no pins"):
            decode(text)


@pytest.mark.parametrize("content", [b"a==1\0short", b"a\0" + bytes(16), bytes(1 << 21), b"==\0"])
def test_pins_of_another_form_are_refused(content):
    with pytest.raises(ValueError, match="no pins"):
        decode(base64.b85encode(zlib.compress(content)).decode())


@pytest.mark.parametrize(
    "text",
    [
        "x==1.0\r--extra-index-url https://elsewhere.example.com/simple",
        "--index-url https://elsewhere.example.com/simple #==1",
        "x @ https://elsewhere.example.com/x-1.0-py3-none-any.whl #==1",
        "-r /proc/self/environ #==1",
        "x==1.0 --hash=sha256:00",
    ],
)
def test_pins_ask_for_nothing_but_names_and_versions(text):
    """A tag of the version's may hold them, and uv is given a line of each."""
    content = f"{text}\0".encode() + bytes(HASH_BYTES)
    with pytest.raises(ValueError, match="is not name==version"):
        decode(base64.b85encode(zlib.compress(content)).decode())


def test_a_wheel_of_another_platform_is_named(tmp_path):
    path = wheel(tmp_path, "compiled", "1.0", tag="py3-none-win_amd64")
    pin = Pin("compiled", "1.0", hashlib.sha256(path.read_bytes()).hexdigest()[: 2 * HASH_BYTES])
    asked = AskedEnvironment((), (), (path,), "")
    with pytest.raises(PodError, match=f"have {path.name}, which is for another platform") as r:
        locking.resolve_pins([pin], asked, Uv(PackageIndexes(()), tmp_path))
    assert r.value.reason is Reason.ENVIRONMENT_MISMATCH


def message(environment):
    """As long as `fetch` ever reports."""
    facts = {"digest": "0" * 64, "version": "1234567", "bytes": 10**12, "seconds": 12345.678}
    return json.dumps({**facts, "cached": False, "environment": environment})


def test_a_hundred_packages_fit_a_termination_message():
    pins = packages(100)
    lines = tuple(f"{pin} {pin.sha256}" for pin in pins)
    reported = report(EnvironmentRecord(digest(pins), PYTHON, len(pins), 10**10, lines, ""))
    assert [str(pin) for pin in decode(reported["pins"])] == [str(pin) for pin in sorted(pins)]
    assert len(reported["pins"]) <= PINS_CHARACTERS
    assert len(message(reported)) <= MESSAGE_BYTES
    assert len(message(reported | {"pins": "x" * PINS_CHARACTERS})) <= MESSAGE_BYTES


def test_more_packages_than_fit_are_refused_by_name():
    locking._check_room(packages(100))
    with pytest.raises(PodError, match="has 140 packages, whose pins take") as raised:
        locking._check_room(packages(140))
    assert raised.value.reason is Reason.ENVIRONMENT_MISMATCH
