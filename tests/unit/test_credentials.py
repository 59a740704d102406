"""What a registry's Secret may hold."""

from __future__ import annotations

import pytest

from pennant_operator.decide.registry.registries import InvalidRegistryError, parse_registry
from pennant_operator.observe.mlflow.credentials import UnusableError, credentials

pytestmark = pytest.mark.unit

USER = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "pw"}
TOKEN = {"MLFLOW_TRACKING_TOKEN": "token"}


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        (USER, "Basic YW5uOnB3"),
        (TOKEN, "Bearer token"),
        (USER | TOKEN, "Basic YW5uOnB3"),
        ({**USER, "MLFLOW_TRACKING_PASSWORD": ""}, "Basic YW5uOg=="),
        ({"MLFLOW_TRACKING_TOKEN": "token\r\n"}, "Bearer token"),
        ({key: f"{value}\n" for key, value in USER.items()}, "Basic YW5uOnB3"),
        ({"tls.crt": "x", "tls.key": "y", "ca.crt": "z"}, None),
    ],
)
def test_a_user_name_wins_over_a_token(secret: dict[str, str], header: str | None):
    assert credentials(secret).authorization == header


@pytest.mark.parametrize(
    ("secret", "lacks"),
    [
        ({"tls.crt": "x"}, "tls.crt and no tls.key"),
        (TOKEN | {"tls.key": "x"}, "tls.key and no tls.crt"),
        ({"MLFLOW_TRACKING_USERNAME": "ann"}, "no MLFLOW_TRACKING_PASSWORD"),
        ({"MLFLOW_TRACKING_PASSWORD": "pw"}, "no MLFLOW_TRACKING_USERNAME"),
        (USER | {"PROXY_USERNAME": "ann"}, "no PROXY_PASSWORD"),
        ({}, "no credentials"),
        ({"password": "hunter2"}, "no credentials"),
        ({"MLFLOW_TRACKING_TOKEN": "hunter2\nand more"}, "line break"),
    ],
)
def test_what_a_secret_lacks_is_named_and_nothing_of_it_is_shown(
    secret: dict[str, str], lacks: str
):
    with pytest.raises(UnusableError, match=lacks) as raised:
        credentials(secret)
    assert "hunter2" not in str(raised.value)


def test_nothing_secret_is_in_a_repr():
    both = credentials(
        USER
        | {"tls.crt": "x", "tls.key": "the-key"}
        | {"PROXY_USERNAME": "o", "PROXY_PASSWORD": "p"}
    )
    assert repr(both) == "Credentials()"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"url": "databricks"}, "not supported"),
        ({"url": "databricks-uc://profile"}, "not supported"),
        ({"url": "http://[::1"}, "not an http or https address"),
        ({"url": "http://mlflow:99999"}, "not an http or https address"),
        ({"proxy": "https://proxy:3128"}, "write for example http://proxy"),
        ({"proxy": "http://user:hunter2@proxy:3128"}, "credentialsSecret"),
        ({"proxy": "http://"}, "not an http or https address"),
    ],
)
def test_an_address_that_cannot_be_used_is_told(spec: dict[str, str], message: str):
    given = {"url": "http://mlflow:5000", **spec}
    with pytest.raises(InvalidRegistryError, match=message) as raised:
        parse_registry({"metadata": {"name": "default"}, "spec": given})
    assert "hunter2" not in str(raised.value)
