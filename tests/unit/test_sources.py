"""Sources that may be downloaded, and those that float or lead elsewhere."""

import pytest

from pennant_operator.decide.sources import DEFAULT_ALLOWED, refusal

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
