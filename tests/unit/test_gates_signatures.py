"""The gate on signatures: what takes all that the version that serves takes."""

from __future__ import annotations

import pytest

from pennant_registry.gates import BundleFacts, Result
from pennant_testing.judged_versions import COLUMNS, column, facts, results_of, takes, tensor

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (COLUMNS, COLUMNS),
        (reversed(COLUMNS), COLUMNS),
        ((*COLUMNS, column("tall", required=False)), COLUMNS),
        ((column("age", "long", required=False), COLUMNS[1]), COLUMNS),
        ((tensor(-1, 4),), (tensor(-1, 4),)),
        ((tensor(-1, -1),), (tensor(-1, 4),)),
        ((column(None), column(None)), (column(None), column(None))),
    ],
)
def test_a_signature_that_takes_all_that_the_other_takes_is_compatible(new, old):
    (result,) = results_of(
        {"signature": "Compatible"}, facts(bundle=takes(*new)), facts("3", bundle=takes(*old))
    )
    assert result.result is Result.PASSED


@pytest.mark.parametrize(
    ("new", "old", "problem"),
    [
        (COLUMNS[:1], COLUMNS, "column city is missing"),
        ((column("years", "long"), COLUMNS[1]), COLUMNS, "column age is missing, column years is"),
        ((column("age", "string"), COLUMNS[1]), COLUMNS, "column age is string, and was long"),
        ((*COLUMNS, column("tall")), COLUMNS, "column tall is required and new"),
        (
            COLUMNS,
            (column("age", "long", required=False), COLUMNS[1]),
            "column age is required, and was not",
        ),
        ((tensor(-1, 5),), (tensor(-1, 4),), "input 0 is float32[-1, 5], and was float32[-1, 4]"),
        ((tensor(-1, 4, dtype="int64"),), (tensor(-1, 4),), "input 0 is int64[-1, 4], and was"),
        ((tensor(-1),), (column("age"),), "input 0 is without a name, and was age"),
        ((column(None),), (column(None), column(None)), "it takes 1 inputs by position, and there"),
        (
            (column("tags", "array", items={"type": "long"}),),
            (column("tags", "array", items={"type": "string"}),),
            "column tags is",
        ),
    ],
)
def test_what_is_renamed_removed_retyped_or_newly_required_fails_by_name(new, old, problem):
    (result,) = results_of(
        {"signature": "Compatible"}, facts(bundle=takes(*new)), facts("3", bundle=takes(*old))
    )
    assert result.result is Result.FAILED
    assert problem in result.message
    assert "all that version 3 takes, which serves" in result.message


def test_params_must_stay_too():
    old = takes(params=[{"name": "k", "type": "long", "default": 3, "shape": None}])
    new = takes(params=[{"name": "k", "type": "double", "default": 3.0, "shape": None}])
    spec = {"signature": "Compatible"}
    (retyped,) = results_of(spec, facts(bundle=new), facts("3", bundle=old))
    (removed,) = results_of(spec, facts(bundle=takes()), facts("3", bundle=old))
    (added,) = results_of(spec, facts(bundle=old), facts("3", bundle=takes()))
    assert "param k is double, and was long" in retyped.message
    assert "param k is missing" in removed.message
    assert added.result is Result.PASSED


def test_a_version_without_a_signature_fails_against_one_with():
    spec, without = {"signature": "Compatible"}, BundleFacts(("sklearn",))
    (failed,) = results_of(spec, facts(bundle=without), facts("3", bundle=takes(*COLUMNS)))
    (passed,) = results_of(spec, facts(bundle=takes(*COLUMNS)), facts("3", bundle=without))
    (first,) = results_of(spec, facts(bundle=without), None)
    assert "it has no signature" in failed.message
    assert (failed.result, passed.result, first.result) == (
        Result.FAILED,
        Result.PASSED,
        Result.PASSED,
    )


@pytest.mark.parametrize(
    ("version", "serving", "whose"),
    [
        (facts(bundle="403"), facts("3", bundle=takes()), "its signature is not known (403)"),
        (
            facts(bundle=takes()),
            facts("3", bundle="403"),
            "the signature of version 3 is not known (403)",
        ),
    ],
)
def test_a_signature_that_nobody_knows_holds(version, serving, whose):
    (result,) = results_of({"signature": "Compatible"}, version, serving)
    assert result.result is Result.UNKNOWN
    assert whose in result.message
