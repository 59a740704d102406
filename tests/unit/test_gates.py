"""Gates: what each says of a version, in which words."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import (
    BundleFacts,
    Closed,
    GateResult,
    Gates,
    MetricMin,
    Result,
    VersionFacts,
    bundle_facts,
    evaluate,
    open_at,
    parse,
    refusals,
)
from pennant_registry.gates.facts import LONGEST_TAG, tagged
from pennant_registry.gates.mlmodel import read_mlmodel
from pennant_registry.gates.windows import closed_until

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
BERLIN = ZoneInfo("Europe/Berlin")


def column(name: str | None, kind: str = "double", **more: Any) -> dict[str, Any]:
    return {"type": kind, "required": True} | ({"name": name} if name else {}) | more


def tensor(*shape: int, dtype: str = "float32", name: str | None = None) -> dict[str, Any]:
    spec = {"dtype": dtype, "shape": list(shape)}
    return {"type": "tensor", "tensor-spec": spec} | ({"name": name} if name else {})


def takes(*inputs: dict[str, Any], params: list[dict[str, Any]] | None = None) -> BundleFacts:
    signature: dict[str, Any] = {"inputs": list(inputs)}
    return BundleFacts(("sklearn",), signature | ({"params": params} if params else {}))


def facts(version: str = "7", *, bundle: BundleFacts | str = "", **metrics: float) -> VersionFacts:
    return VersionFacts(version, metrics, {"approved": "true", "note": ""}, bundle)


def asked(
    spec: dict[str, Any],
    version: VersionFacts,
    serving: VersionFacts | None = None,
    now: datetime = NOON,
) -> tuple[GateResult, ...]:
    return evaluate(parse(spec), version, serving, now)


def metric(
    serving: VersionFacts | None = None, value: float | None = 0.8, **gate: str
) -> GateResult:
    version = facts() if value is None else facts(auc=value)
    (result,) = asked({"metrics": [{"name": "auc", **gate}]}, version, serving)
    return result


def test_a_version_passes_where_nothing_is_asked():
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
    (result,) = asked({"metrics": [{"name": "ndcg_at_10", "min": "0.3"}]}, facts(auc=0.9, map=0.1))
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
    (said,) = asked({"tags": [tag]}, facts())
    assert (said.result, said.message) == (result, message)


def test_a_version_must_have_one_of_the_flavors():
    wanted = {"flavors": ["xgboost", "sklearn"]}
    (passed,) = asked(wanted, facts(bundle=takes()))
    (failed,) = asked(wanted, facts(bundle=BundleFacts(("onnx", "python_function"))))
    (unknown,) = asked(wanted, facts(bundle="its MLmodel file could not be read: 403"))
    assert [each.result for each in (passed, failed, unknown)] == list(Result)
    has = "its flavors are onnx, python_function, and must have one of xgboost, sklearn"
    assert failed.message == has
    assert "could not be read: 403" in unknown.message
    assert "pennant_registry.register writes tags that say it" in unknown.message


COLUMNS = (column("age", "long"), column("city", "string"))


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
    (result,) = asked(
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
    (result,) = asked(
        {"signature": "Compatible"}, facts(bundle=takes(*new)), facts("3", bundle=takes(*old))
    )
    assert result.result is Result.FAILED
    assert problem in result.message
    assert "all that version 3 takes, which serves" in result.message


def test_params_must_stay_too():
    old = takes(params=[{"name": "k", "type": "long", "default": 3, "shape": None}])
    new = takes(params=[{"name": "k", "type": "double", "default": 3.0, "shape": None}])
    spec = {"signature": "Compatible"}
    (retyped,) = asked(spec, facts(bundle=new), facts("3", bundle=old))
    (removed,) = asked(spec, facts(bundle=takes()), facts("3", bundle=old))
    (added,) = asked(spec, facts(bundle=old), facts("3", bundle=takes()))
    assert "param k is double, and was long" in retyped.message
    assert "param k is missing" in removed.message
    assert added.result is Result.PASSED


def test_a_version_without_a_signature_fails_against_one_with():
    spec, without = {"signature": "Compatible"}, BundleFacts(("sklearn",))
    (failed,) = asked(spec, facts(bundle=without), facts("3", bundle=takes(*COLUMNS)))
    (passed,) = asked(spec, facts(bundle=takes(*COLUMNS)), facts("3", bundle=without))
    (first,) = asked(spec, facts(bundle=without), None)
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
    (result,) = asked({"signature": "Compatible"}, version, serving)
    assert result.result is Result.UNKNOWN
    assert whose in result.message


def test_every_gate_that_refuses_is_named_not_the_first():
    spec = {
        "metrics": [{"name": "auc", "min": "0.9", "maxDrop": "0.01"}, {"name": "map", "max": "1"}],
        "tags": [{"key": "approved", "value": "no"}, {"key": "approved"}],
        "flavors": ["onnx"],
    }
    results = asked(spec, facts(auc=0.5, map=0.5, bundle=takes()), facts("3", auc=0.8))
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


WEEKEND = {"cron": "0 18 * * 5", "for": "62h", "timeZone": "Europe/Berlin"}


def berlin(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        (berlin(27, 17, 59, 59), False),
        (berlin(27, 18), True),
        (berlin(29, 12), True),
        (berlin(30, 7, 59, 59), True),
        (berlin(30, 8), False),
    ],
)
def test_a_window_is_closed_from_its_time_on_to_the_second(now, closed):
    (result,) = asked({"closed": [WEEKEND]}, facts(), now=now.astimezone(UTC))
    assert (result.result is Result.FAILED) is closed
    if closed:
        assert result.until == berlin(30, 8)
        assert "nothing new goes out before Mon 2026-11-30 08:00:00 Europe/Berlin" in result.message


def test_of_windows_that_are_closed_the_first_end_is_when_to_look_again():
    spec = {"closed": [WEEKEND, {"cron": "0 * * * *", "for": "30m"}]}
    assert open_at(asked(spec, facts(), now=berlin(28, 12, 10))) == berlin(28, 12, 30)
    assert open_at(asked(spec, facts(), now=berlin(26, 12, 45))) is None


def test_windows_that_overlap_end_with_the_last():
    window = Closed("0 * * * *", timedelta(minutes=90))
    assert closed_until(window, NOON + timedelta(minutes=10)) == NOON + timedelta(minutes=90)


def test_a_time_long_ago_closes_nothing():
    assert closed_until(Closed("0 0 29 2 *", timedelta(hours=1)), NOON) is None


CHANGES = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC))


@given(
    change=st.sampled_from(CHANGES),
    cron=st.sampled_from(["0 2 * * *", "30 2 * * *", "15 2 * * 0", "*/20 2 * * *", "0 */3 * * *"]),
    minutes=st.integers(1, 1800),
    seconds=st.integers(-36 * 3600, 36 * 3600),
)
def test_where_the_clock_jumps_a_window_is_closed_from_each_time_that_cron_names(
    change, cron, minutes, seconds
):
    now, duration = change + timedelta(seconds=seconds), timedelta(minutes=minutes)
    times, begun = CronSim(cron, (now - timedelta(days=9)).astimezone(BERLIN)), []
    while (moment := next(times).astimezone(UTC)) <= now:
        begun.append(moment)
    until = max(begun) + duration
    expected = until if until > now else None
    assert closed_until(Closed(cron, duration, "Europe/Berlin"), now) == expected


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"metric": []}, "gates is 'metric': its keys are metrics, tags"),
        ({"metrics": {"name": "auc"}}, "gates.metrics is {'name': 'auc'}: write a list"),
        ({"metrics": ["auc"]}, "gates.metrics[0] is 'auc': write a mapping with name, min"),
        ({"metrics": [{"name": "auc"}]}, "gates.metrics[0] is {'name': 'auc'}: give it min, max"),
        ({"metrics": [{"min": "1", "max": "2"}]}, "gates.metrics[0].name is None: write a text"),
        (
            {"metrics": [{"name": "auc", "min": 0.3}]},
            "gates.metrics[0].min is 0.3: write a decimal",
        ),
        ({"metrics": [{"name": "auc", "min": "nan"}]}, "gates.metrics[0].min is 'nan'"),
        ({"metrics": [{"name": "auc", "maxDrop": "-1"}]}, "gates.metrics[0].maxDrop is '-1'"),
        ({"metrics": [{"name": "auc", "min": "2%"}]}, "gates.metrics[0].min is '2%'"),
        ({"tags": [{"key": ""}]}, "gates.tags[0].key is '': write a text"),
        ({"tags": [{"key": "approved", "value": True}]}, "value is True: write it in quotes"),
        ({"flavors": "sklearn"}, "gates.flavors is 'sklearn': write a list"),
        ({"signature": "Same"}, "gates.signature is 'Same': write Compatible or Any"),
        ({"closed": [{**WEEKEND, "cron": "soon"}]}, "gates.closed[0].cron is 'soon': write five"),
        ({"closed": [{**WEEKEND, "cron": "0 0 18 * * 5"}]}, "'0 0 18 * * 5': write five fields"),
        ({"closed": [{**WEEKEND, "for": "2d"}]}, "gates.closed[0].for: '2d' is not a duration"),
        ({"closed": [{**WEEKEND, "timeZone": "Berlin"}]}, "timeZone is 'Berlin': write an IANA"),
        ({"closed": [{**WEEKEND, "timeZone": "../etc"}]}, "timeZone is '../etc': write an IANA"),
    ],
)
def test_a_gate_that_cannot_be_read_is_named_with_its_value(spec, words):
    with pytest.raises(InvalidGateError) as raised:
        parse(spec)
    assert words in str(raised.value)


MLMODEL = {
    "flavors": {"sklearn": {}, "python_function": {}},
    "signature": {"inputs": json.dumps(COLUMNS), "outputs": "[]", "params": None},
}


MLMODEL_FILE = """\
flavors:
  sklearn: {sklearn_version: 1.9.0}
  python_function: {env: {conda: conda.yaml}}
mlflow_version: 3.17.2
utc_time_created: 2024-13-45
signature:
  inputs: '[{"type": "long", "name": "a"}]'
  outputs: '[{"type": "double"}]'
  params: null
"""


def test_an_mlmodel_file_says_flavors_and_signature():
    said = read_mlmodel(MLMODEL_FILE)
    assert said.flavors == ("python_function", "sklearn")
    assert said.signature == {"inputs": [{"type": "long", "name": "a"}]}
    assert read_mlmodel("flavors: {lightgbm: {}}\nsignature: ~").signature is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no mapping"),
        ("\x00", "no YAML"),
        ("flavors: [a]", "no flavors"),
        ("flavors: {? [a]: b}", "no YAML"),
        ("a: &a {b: *a}", "no YAML"),
        ("[" * 1_000_000, "nested deeper than 64 levels"),
        ("- " * 500_000, "nested deeper than 64 levels"),
        ("flavors: {}\nsignature: {inputs: [a]}", "another shape"),
        ("flavors: {}\nsignature: {inputs: '%s'}" % ("[" * 900_000), "another shape"),
    ],
    ids=lambda text: text[:30],
)
def test_no_text_of_an_mlmodel_file_is_more_than_refused(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        read_mlmodel(text)


def test_tags_that_nobody_could_read_let_nothing_through():
    unread = VersionFacts("8", tags="the registry says 403")
    (said,) = asked({"tags": [{"key": "approved"}]}, unread)
    assert said.result is Result.UNKNOWN
    assert said.message == "tag approved is not known (the registry says 403), and must be set"


def test_what_an_mlmodel_file_says_comes_back_from_its_tags():
    known = bundle_facts(MLMODEL)
    assert known == BundleFacts(("python_function", "sklearn"), {"inputs": list(COLUMNS)})
    assert tagged(*known.tags()) == known
    assert tagged(*BundleFacts().tags()) == BundleFacts()
    assert tagged(None, "none") is None


def test_a_signature_that_no_tag_holds_is_left_out():
    long = takes(*(column(f"column-{at}") for at in range(LONGEST_TAG // 50)))
    assert long.tags() == ("sklearn", None)


@pytest.mark.parametrize(
    "mlmodel",
    [
        {},
        {"flavors": []},
        MLMODEL | {"signature": {"inputs": "[1]"}},
        MLMODEL | {"signature": {"inputs": "{"}},
    ],
)
def test_an_mlmodel_file_that_is_none_is_refused(mlmodel):
    with pytest.raises(ValueError, match=r"MLmodel|signature|Expecting"):
        bundle_facts(mlmodel)


def test_closed_times_without_the_package_that_reads_cron_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(
        InvalidGateError, match=r"gates\.closed\[0\]\.cron needs the package cronsim"
    ):
        parse({"closed": [WEEKEND]})
