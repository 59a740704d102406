"""What wakes somebody and what does not: the alerts, by Prometheus itself (golden/alerts.yaml)."""

from __future__ import annotations

import re
from typing import Any

import grpc
import pytest
import yaml

from pennant_serving.grpc.messages import POOL
from pennant_serving.grpc.service import SERVICE
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.last_answers import FAILED
from pennant_serving.metrics.telemetry import outcome, protocol_of
from pennant_serving.sampling.sampling import PLUMBING, is_asked
from pennant_testing.folders import REPOSITORY
from pennant_testing.serving.app_builders import settings
from pennant_testing.truth.prometheus import Answer, Question, answers

pytestmark = pytest.mark.contract

RULES = yaml.safe_load((REPOSITORY / "manifests/monitoring/rules.yaml").read_text())["spec"]
TESTS = yaml.safe_load((REPOSITORY / "tests/golden/alerts.yaml").read_text())["tests"]
OF_MODELS = "PennantModelErrors"
ALERTS = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]


def minute(case: dict[str, Any]) -> int:
    return int(case["eval_time"].removesuffix("m"))


@pytest.fixture(scope="module")
def told() -> dict[str, Answer]:
    """What Prometheus makes of each test's series."""
    asked = [
        Question(
            [f"{each['series']} {each['values']}" for each in test["input_series"]],
            sorted({minute(case) for case in test["alert_rule_test"]}),
        )
        for test in TESTS
    ]
    names = [test["name"] for test in TESTS]
    return dict(zip(names, answers(RULES, asked), strict=True))


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test["name"])
def test_it_fires_when_it_should_and_says_what_is_so(told: dict[str, Answer], test: dict[str, Any]):
    for case in test["alert_rule_test"]:
        name = case["alertname"]
        fired = [
            each
            for each in told[test["name"]].alerts[minute(case)]
            if each["labels"]["alertname"] == name
        ]
        expected = [
            {
                "labels": {"alertname": name, **each["exp_labels"]},
                "annotations": each["exp_annotations"],
            }
            for each in case["exp_alerts"]
        ]
        assert sorted(fired, key=str) == sorted(expected, key=str), case["eval_time"]


def test_each_is_seen_to_fire_and_not_to_fire():
    cases = [case for test in TESTS for case in test["alert_rule_test"]]
    for fires in (True, False):
        assert {c["alertname"] for c in cases if bool(c["exp_alerts"]) is fires} == {*ALERTS}


def test_an_error_of_a_model_is_one_as_the_server_counts_them_in_what_somebody_asked():
    (expr,) = (r["expr"] for g in RULES["groups"] for r in g["rules"] if r["alert"] == OF_MODELS)
    (left_out,) = {*re.findall(r'route!~"(.*?)"', expr)}
    (failures,) = re.findall(r'code=~"(.*?)"', expr)
    paths = [route.path for route in create_app(settings(), Lifecycle(), AdapterRoutes()).routes]
    methods = [method.name for method in POOL.FindServiceByName(SERVICE).methods]
    routes = [(protocol_of(path), path) for path in (*paths, *PLUMBING, "/recommend")]
    routes += [("grpc", f"/{SERVICE}/{name}") for name in methods]
    for protocol, path in routes:
        assert (re.fullmatch(left_out, path) is None) is is_asked(protocol, path), path
    codes = [*range(200, 600), *(code.name for code in grpc.StatusCode)]
    for code in codes:
        assert bool(re.fullmatch(failures, str(code))) is (outcome(code) == FAILED), code
