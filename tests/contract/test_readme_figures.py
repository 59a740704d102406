"""The README's figures are those of the pages that it links to."""

from pathlib import Path

import msgspec
import pytest

from bench.rollout.report import Report as Rollouts
from bench.rollout.timeline import BACK, WEBHOOK
from bench.scale.report import Measured
from bench.serving.report import Report as Serving
from newsreco.loadgen_report import FRESH

pytestmark = pytest.mark.contract

REPOSITORY = Path(__file__).parents[2]
ROWS = {
    row.partition("]")[0].removeprefix("| ["): row
    for row in (REPOSITORY / "README.md").read_text().splitlines()
    if row.startswith("| [")
}


def numbers(name: str) -> bytes:
    return (REPOSITORY / "docs" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("peer", ["MLServer, scikit-learn runtime", "mlflow models serve"])
def test_how_many_times_as_many_requests(peer):
    found = msgspec.json.decode(numbers("serving-bench"), type=Serving)
    result = next(each for each in found.results if each.name == peer)
    assert f"{found.ratio(result, rows=1, connections=64):.0f} times" in ROWS["serving-bench"]


def test_how_soon_a_server_answers():
    found = msgspec.json.decode(numbers("serving-bench"), type=Serving)
    ours = next(each for each in found.results if each.name == "Pennant")
    assert f"answers {ours.start:.1f} s after its start" in ROWS["serving-bench"]


@pytest.mark.parametrize(("kind", "which"), [(WEBHOOK, "first"), (BACK, FRESH)])
def test_how_soon_an_alias_is_an_answer(kind, which):
    spread = msgspec.json.decode(numbers("rollout-bench"), type=Rollouts).figure(kind, which)
    assert spread is not None
    assert f"{spread.median:.1f} s" in ROWS["rollout-bench"]


def test_how_much_the_largest_fleet_takes():
    largest = msgspec.json.decode(numbers("scale"), type=list[Measured])[-1]
    assert f"{largest.size:,} ModelDeployments" in ROWS["scale"]
    assert f"{largest.figures.idle.memory:.0f} MiB" in ROWS["scale"]
