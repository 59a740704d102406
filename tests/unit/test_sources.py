"""Where pods pull from: the server, or the store behind it, and nowhere that was not allowed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.registry.sources import (
    allowed_with_root,
    source_refusal,
    with_pull_source,
)
from pennant_operator.decide.seen.observed import ModelVersion, Refused
from pennant_registry.sources import DEFAULT_ALLOWED, problem
from pennant_testing.memory.object_builders import version

pytestmark = pytest.mark.unit


def test_a_refusal_names_the_registry_the_source_and_what_is_allowed():
    answer = source_refusal("s3://bucket/x", DEFAULT_ALLOWED, registry="default")
    assert answer is not None
    assert answer.message.startswith("ModelRegistry default: the version's source 's3://bucket/x'")
    assert "(mlflow-artifacts:/)" in answer.message


ROOT = "s3://bucket/mlflow"
OF_THE_ROOT = allowed_with_root(DEFAULT_ALLOWED, ROOT)


def direct(source: str, *allowed: str) -> str | Refused:
    at = replace(version(7), source=source)
    pulled = with_pull_source(at, ROOT, allowed or OF_THE_ROOT, registry="default")
    return pulled.source if isinstance(pulled, ModelVersion) else pulled


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


@given(st.text(alphabet="ab/.%2e:?#\\ ").map("mlflow-artifacts:/{}".format))
def test_what_pods_are_told_to_pull_they_may(source: str):
    found = direct(source)
    assert isinstance(found, Refused) or problem(found, OF_THE_ROOT) is None


def test_without_a_root_the_server_hands_out_its_own():
    assert with_pull_source(version(7), None, DEFAULT_ALLOWED, registry="default") == version(7)


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
    allowed = allowed_with_root(given, ROOT)
    assert allowed == (*given, "s3://bucket/mlflow/3/")
    assert direct("mlflow-artifacts:/3/x", *allowed) == "s3://bucket/mlflow/3/x"
    assert isinstance(direct("mlflow-artifacts:/4/x", *allowed), Refused)
    assert isinstance(direct("s3://bucket/mlflow/4/x", *allowed), Refused)
