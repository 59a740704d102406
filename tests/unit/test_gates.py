"""Gates on metrics, tags and flavors: what each says of a version, in which words."""

from __future__ import annotations

import pytest

from pennant_registry.gates import (
    BundleFacts,
    GateResult,
    Gates,
    MetricMin,
    Result,
    VersionFacts,
    evaluate,
    refusals,
)
from pennant_testing.judged_versions import NOON, column, facts, results_of, takes

pytestmark = pytest.mark.unit


def metric(
    serving: VersionFacts | None = None, value: float | None = 0.8, **gate: str
) -> GateResult:
    version = facts() if value is None else facts(auc=value)
    (result,) = results_of({"metrics": [{"name": "auc", **gate}]}, version, serving)
    return result


def test_a_version_passes_where_nothing_is_results_of():
    assert evaluate(Gates(), facts(), None, NOON) == ()


@pytest.mark.parametrize(
    ("gate", "value"),
    [
        ({"min": "0.30"}, 0.3),  # a float that is less than the decimal it was written as
        ({"min": "0.1"}, 0.1),
        ({"max": "0.7"}, 0.7),
        ({"min": "-1"}, -0.5),
    ],
)
def test_a_metric_at_its_bound_passes(gate, value):
    assert metric(value=value, **gate).result is Result.PASSED


def test_a_refusal_names_metric_value_and_bound():
    result = metric(value=0.2912, min="0.30")
    assert result == GateResult(
        "metrics.auc.min",
        Result.FAILED,
        "0.2912",
        "at least 0.3",
        "metric auc is 0.2912, and must be at least 0.3",
    )
    assert metric(value=3.5, max="3").message == "metric auc is 3.5, and must be at most 3"


def test_a_metric_that_was_never_logged_fails_and_the_logged_ones_are_named():
    (result,) = results_of(
        {"metrics": [{"name": "ndcg_at_10", "min": "0.3"}]}, facts(auc=0.9, map=0.1)
    )
    assert result.result is Result.FAILED
    assert "metric ndcg_at_10 is not logged for it (its metrics: auc, map)" in result.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("gate", [{"min": "0"}, {"max": "1"}, {"maxDrop": "1"}, {"maxRise": "1"}])
def test_what_is_no_number_fails_by_name(gate, value):
    result = metric(facts("3", auc=0.5), value, **gate)
    assert result.result is Result.FAILED
    assert f"metric auc is {value}".replace("inf", "Infinity").lower() in result.message.lower()


@pytest.mark.parametrize(
    ("gate", "before", "least"),
    [
        ({"maxDrop": "0.01"}, 0.83, "at least 0.82, which is 0.01 below that of version 3"),
        ({"maxDrop": "2%"}, 0.9, "at least 0.882, which is 2% below that of version 3"),
        ({"maxDrop": "0"}, 0.81, "at least 0.81, which is 0 below that of version 3"),
        ({"maxRise": "10%"}, 0.7, "at most 0.77, which is 10% above that of version 3"),
    ],
)
def test_a_metric_is_held_against_that_of_the_version_that_serves(gate, before, least):
    result = metric(facts("3", auc=before), 0.8, **gate)
    assert result.result is Result.FAILED
    assert f"metric auc is 0.8, and must be {least}, which serves" == result.message


@pytest.mark.parametrize("before", [0.81, -0.9, 0.8])
def test_a_change_within_what_is_allowed_passes_below_zero_too(before):
    value = before - 0.01 if before != 0.8 else 0.9
    assert metric(facts("3", auc=before), round(value, 3), maxDrop="0.01").result is Result.PASSED
    assert metric(facts("3", auc=before), round(value, 3), maxDrop="2%").result is Result.PASSED


def test_the_first_version_is_compared_with_nothing_and_says_so():
    result = metric(None, 0.1, maxDrop="0.01")
    assert result.result is Result.PASSED
    assert result.message == "metric auc is compared with nothing: no version serves yet"


@pytest.mark.parametrize("before", [facts("3"), facts("3", auc=float("nan"))])
def test_what_cannot_be_compared_is_unknown_and_says_what_to_do(before):
    result = metric(before, 0.9, maxDrop="0.01")
    assert result.result is Result.UNKNOWN
    assert "version 3, which serves, has" in result.message
    assert result.message.endswith("log it there")


@pytest.mark.parametrize(
    ("tag", "result", "message"),
    [
        ({"key": "approved", "value": "true"}, Result.PASSED, ""),
        ({"key": "approved"}, Result.PASSED, ""),
        (
            {"key": "approved", "value": "yes"},
            Result.FAILED,
            "tag approved is 'true', and must be 'yes'",
        ),
        ({"key": "note"}, Result.FAILED, "tag note is not set, and must be set"),
        ({"key": "by", "value": "ana"}, Result.FAILED, "tag by is not set, and must be 'ana'"),
    ],
)
def test_a_tag_must_have_its_value_or_any(tag, result, message):
    (judged,) = results_of({"tags": [tag]}, facts())
    assert (judged.result, judged.message) == (result, message)


def test_a_version_must_have_one_of_the_flavors():
    wanted = {"flavors": ["xgboost", "sklearn"]}
    (passed,) = results_of(wanted, facts(bundle=takes()))
    (failed,) = results_of(wanted, facts(bundle=BundleFacts(("onnx", "python_function"))))
    (unknown,) = results_of(wanted, facts(bundle="its MLmodel file could not be read: 403"))
    assert [each.result for each in (passed, failed, unknown)] == list(Result)
    has = "its flavors are onnx, python_function, and must have one of xgboost, sklearn"
    assert failed.message == has
    assert "could not be read: 403" in unknown.message
    assert "pennant_registry.register writes tags that say it" in unknown.message


def test_every_gate_that_refuses_is_named_not_the_first():
    spec = {
        "metrics": [{"name": "auc", "min": "0.9", "maxDrop": "0.01"}, {"name": "map", "max": "1"}],
        "tags": [{"key": "approved", "value": "no"}, {"key": "approved"}],
        "flavors": ["onnx"],
    }
    results = results_of(spec, facts(auc=0.5, map=0.5, bundle=takes()), facts("3", auc=0.8))
    assert [each.gate for each in results if each.result is Result.FAILED] == [
        "metrics.auc.min",
        "metrics.auc.maxDrop",
        "tags.approved",
        "flavors",
    ]
    assert len(refusals(results)) == 4


def test_the_short_form_asks_for_at_least():
    gates = Gates(metrics=(MetricMin("auc", min=0.3).gate(),))
    assert refusals(evaluate(gates, facts(auc=0.3), None, NOON)) == []
    assert refusals(evaluate(gates, facts(auc=0.29), None, NOON))


def test_tags_that_nobody_could_read_let_nothing_through():
    unread = VersionFacts("8", tags="the registry says 403")
    (result,) = results_of({"tags": [{"key": "approved"}]}, unread)
    assert result.result is Result.UNKNOWN
    assert result.message == "tag approved is not known (the registry says 403), and must be set"


def test_however_much_was_logged_or_tagged_a_message_is_short():
    metrics = {f"metric-{at}": 0.5 for at in range(5000)}
    columns = [column(f"column-{at}") for at in range(5000)]
    new = VersionFacts("8", metrics, {"approved": "x" * 100_000}, takes())
    spec = {
        "metrics": [{"name": "auc", "min": "0.5"}],
        "tags": [{"key": "approved", "value": "true"}],
        "signature": "Compatible",
    }
    results = results_of(spec, new, VersionFacts("7", bundle=takes(*columns)))
    assert [each.result for each in results] == [Result.FAILED] * 3
    assert max(len(each.message) + len(each.value) for each in results) < 1500
    assert all("…" in each.message for each in results)
