"""The rule by which the tests judge in memory is kstatus' own."""

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import pytest

from pennant_testing.memory.situations import table
from pennant_testing.truth.kstatus import Verdict, verdict
from pennant_testing.truth.kstatus_program import kstatus

pytestmark = pytest.mark.integration

TYPES = ("Ready", "Reconciling", "Stalled")
STATUSES = ("True", "False", "Unknown", None)
GENERATIONS = ((1, 1), (2, 1), (1, None), (1, -1), (None, 1))


@pytest.fixture(scope="module")
def real() -> Iterator[Verdict]:
    with kstatus() as verdicts:
        yield verdicts


def thing(generation: int | None, seen: int | None, conditions: list[dict[str, Any]]):
    meta = {"name": "rec", "namespace": "team"} | ({"generation": generation} if generation else {})
    status = {"conditions": conditions} | ({} if seen is None else {"observedGeneration": seen})
    kind = {"apiVersion": "pennant.dev/v1alpha1", "kind": "ModelDeployment"}
    return {**kind, "metadata": meta, "status": status}


def things() -> Iterator[dict[str, Any]]:
    """Every combination of what it reads, in every order."""
    for order, statuses in product(permutations(TYPES), product(STATUSES, repeat=len(TYPES))):
        pairs = zip(order, statuses, strict=True)
        conditions = [
            {"type": t, "status": s, "reason": "Any", "message": ""} for t, s in pairs if s
        ]
        for generation, seen in GENERATIONS:
            yield thing(generation, seen, conditions)


def test_it_says_what_kstatus_says_of_whatever_conditions(real: Verdict):
    assert [each for each in things() if real(each) != verdict(each)] == []


def test_it_says_what_kstatus_says_of_every_situation(real: Verdict):
    every = [thing(1, 1, [*outcome.conditions.values()]) for outcome in table().values()]
    assert [each for each in every if real(each) != verdict(each)] == []


def test_what_is_being_deleted_is_terminating(real: Verdict):
    leaving = thing(1, 1, [])
    leaving["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:00Z"
    assert real(leaving) == verdict(leaving) == "Terminating"
