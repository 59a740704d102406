"""Fetches that share a cache, in any order, each killed at any of its steps."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_testing.folders import SUPPORT
from pennant_testing.packages.simple_index import package_index
from pennant_testing.packages.wheels import runtime_wheels, wheel
from pennant_testing.running.coverage_env import coverage_variables
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.shared_cache import entry_bytes

pytestmark = pytest.mark.integration

PLENTY = 1 << 30
TIGHT = entry_bytes(1) + entry_bytes(2)
"""Room for two of three."""


class Fetches:
    """A process that plays plans."""

    def __init__(self, folder):
        self._folder, self._numbers = folder, count()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pennant_testing.serving.stepped_fetches"],
            env=coverage_variables() | {"PYTHONPATH": str(SUPPORT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def play(self, *, actors, turns=(), old=(), bound=PLENTY, index=""):
        folder = self._folder / str(next(self._numbers))
        plan = {"folder": str(folder), "bound": bound, "actors": actors, "turns": turns}
        line = json.dumps(plan | {"old": old, "index": index})
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        verdict = json.loads(self._process.stdout.readline())
        assert verdict["wrong"] == [], line
        return verdict

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def fetches(tmp_path_factory):
    fetches = Fetches(tmp_path_factory.mktemp("fetches"))
    yield fetches
    fetches.close()


def actor(source, *, known=False, wait=300):
    return {"source": source, "known": known, "wait": wait}


def entry(source, *, in_use=False, damaged=False):
    return {"source": source, "in_use": in_use, "damaged": damaged}


@pytest.mark.parametrize(
    "world",
    [
        {"bound": PLENTY, "old": []},
        {"bound": TIGHT, "old": [entry(1), entry(2)]},
        {"bound": TIGHT, "old": [entry(3, damaged=True)]},
        {"bound": 1, "old": []},
    ],
    ids=["empty", "full", "damaged", "no room"],
)
def test_one_that_is_killed_at_any_step_leaves_what_the_next_one_takes(fetches, world):
    for step in count():
        verdict = fetches.play(actors=[actor(3, known=True)], turns=[(0, step, True)], **world)
        if not verdict["killed"]:
            break
    assert step > 20


SOURCES = st.integers(0, 3)
ACTORS = st.lists(
    st.builds(actor, SOURCES, known=st.booleans(), wait=st.sampled_from((0, 300))),
    min_size=2,
    max_size=4,
)
OLD = st.lists(
    st.builds(entry, SOURCES, in_use=st.booleans(), damaged=st.booleans()),
    max_size=3,
    unique_by=lambda each: each["source"],
)


@examples(100)
@given(st.data())
def test_however_many_go_on_and_end_in_whatever_order_the_cache_is_sound(fetches, data):
    actors, old = data.draw(ACTORS), data.draw(OLD)
    turn = st.tuples(
        st.integers(0, len(actors) - 1), st.integers(1, 25), st.sampled_from((False, False, True))
    )
    bound = max(data.draw(st.integers(0, 40)) * 4096, sum(entry_bytes(e["source"]) for e in old))
    fetches.play(actors=actors, turns=data.draw(st.lists(turn, max_size=30)), old=old, bound=bound)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    runtime_wheels(folder)
    wheel(folder, "alpha", "1.0")
    with package_index(folder) as index:
        yield index.url


@examples(25)
@given(st.integers(0, 200))
def test_an_environment_is_whole_wherever_its_maker_is_killed(fetches, index, step):
    fetches.play(actors=[actor(0)], turns=[(0, step, True)], index=index)
