"""Sources that may be downloaded, and those that float or lead elsewhere."""

from dataclasses import replace

import pytest
from builders import version

from pennant_operator.decide.observed import ModelVersion, Refused
from pennant_operator.decide.sources import DEFAULT_ALLOWED, allowed_with, pulled, refusal

pytestmark = pytest.mark.unit


def refused(source: str, *allowed: str) -> str | None:
    answer = refusal(source, allowed or DEFAULT_ALLOWED, registry="default")
    return answer.message if answer else None


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/1/run/artifacts/newsreco.pkl",
        "mlflow-artifacts:/1/models/m-7/artifacts",
        "mlflow-artifacts:/1/run/artifacts/a..b.pkl",
    ],
)
def test_the_registrys_own_artifacts_are_allowed(source: str):
    assert refused(source) is None


@pytest.mark.parametrize(
    "source",
    ["models:/cars@production", "models:/cars/Production", "models:/cars/3", "runs:/1/model"],
)
def test_what_can_change_after_it_was_checked_floats(source: str):
    assert "floats" in (refused(source, "models:/", "runs:/") or "")


def test_a_host_in_the_address_is_refused_whatever_is_allowed():
    message = refused("mlflow-artifacts://evil.example/1/x", "mlflow-artifacts:/")
    assert "host of its own" in (message or "")


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/1/../../2/secret",
        "mlflow-artifacts:/1/%2e%2e/2",
        "mlflow-artifacts:/1/%252e%252e/2",
        "mlflow-artifacts:/1/%2525252525252e%2525252525252e/2",
        "mlflow-artifacts:../2",
        "mlflow-artifacts:/1\\..\\2",
        "mlflow-artifacts:/1/a\nb",
    ],
)
def test_no_way_leads_upwards(source: str):
    assert "could lead out" in (refused(source) or "")


def test_a_prefix_ends_at_a_slash():
    assert refused("s3://models/cars/1", "s3://models") is None
    assert "allowedSources" in (refused("s3://models-evil/cars/1", "s3://models") or "")


def test_a_refusal_says_what_is_allowed():
    message = refused("s3://bucket/x")
    assert "mlflow-artifacts:/" in (message or "")


ROOT = "s3://bucket/mlflow"
OF_THE_ROOT = allowed_with(DEFAULT_ALLOWED, ROOT)


def direct(source: str, *allowed: str) -> str | Refused:
    at = replace(version(7), source=source)
    found = pulled(at, ROOT, allowed or OF_THE_ROOT, registry="default")
    return found.source if isinstance(found, ModelVersion) else found


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("mlflow-artifacts:/1/run/artifacts/x.pkl", "s3://bucket/mlflow/1/run/artifacts/x.pkl"),
        ("mlflow-artifacts:///1/models/m-7", "s3://bucket/mlflow/1/models/m-7"),
        ("mlflow-artifacts:/1/my model..pkl", "s3://bucket/mlflow/1/my model..pkl"),
        ("s3://bucket/mlflow/2/elsewhere", "s3://bucket/mlflow/2/elsewhere"),
    ],
)
def test_with_a_root_pods_pull_from_behind_the_server(source: str, at: str):
    assert direct(source) == at


def test_without_a_root_the_server_hands_out_its_own():
    assert pulled(version(7), None, DEFAULT_ALLOWED, registry="default") == version(7)


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/../other/secret",
        "mlflow-artifacts:../other",
        "mlflow-artifacts:/1/%2e%2e/%2e%2e/other",
        "mlflow-artifacts:/1/%25252e%25252e/x",
        "mlflow-artifacts:/1\\..\\2",
        "mlflow-artifacts://evil.example/1/x",
        "s3://bucket/mlflow/../other",
        "s3://bucket/mlflow-2/x",
        "s3://bucket/other",
        "models:/cars@production",
    ],
)
def test_nothing_leads_out_of_the_root(source: str):
    assert isinstance(direct(source), Refused)


def test_what_is_allowed_of_the_server_is_allowed_at_its_root_and_no_more():
    given = ("mlflow-artifacts:/3/", "gs://other")
    allowed = allowed_with(given, ROOT)
    assert allowed == (*given, "s3://bucket/mlflow/3/")
    assert direct("mlflow-artifacts:/3/x", *allowed) == "s3://bucket/mlflow/3/x"
    assert isinstance(direct("mlflow-artifacts:/4/x", *allowed), Refused)
    assert isinstance(direct("s3://bucket/mlflow/4/x", *allowed), Refused)
