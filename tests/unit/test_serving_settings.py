"""Settings of the server, and the bundle it finds."""

from __future__ import annotations

import pytest

from pennant_serving.bundle.bundle import open_bundle
from pennant_serving.environ import SettingsError
from pennant_serving.failures import PodError, Reason
from pennant_serving.settings import Settings
from pennant_testing.serving.app_builders import on_volume

pytestmark = pytest.mark.unit

REQUIRED = {"PENNANT_MODEL_NAME": "iris", "PENNANT_MODEL_VERSION": "7"}


def test_everything_but_the_model_has_a_default():
    read = Settings.from_env(REQUIRED | {"PENNANT_FROM_THE_FUTURE": "1"})
    assert read == Settings(model="iris", version="7")
    assert (read.port, read.adapter, read.self_test) == (8080, "auto", "IfPresent")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PENNANT_MODEL_VERSION", ""),
        ("PENNANT_PORT", "http"),
        ("PENNANT_PORT", "70000"),
        ("PENNANT_SELF_TEST", "maybe"),
        ("PENNANT_ADAPTER", "tensorflow"),
        ("PENNANT_ADAPTER", "module:"),
        ("PENNANT_DRAIN_SECONDS", "-1"),
        ("PENNANT_WORKERS", "0"),
        ("PENNANT_BATCH_MAX_ROWS", "0"),
        ("PENNANT_BATCH_MAX_DELAY", "1.5"),
        ("PENNANT_BATCH_MAX_DELAY", "nan"),
        ("PENNANT_ACCESS_LOG", "yes"),
        ("PENNANT_PAYLOAD_LOG_RATIO", "1.5"),
        ("PENNANT_PAYLOAD_LOG_RATIO", "1%"),
        ("PENNANT_MAX_CONNECTION_AGE", "soon"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(name, value):
    with pytest.raises(SettingsError, match=name) as raised:
        Settings.from_env(REQUIRED | {name: value})
    assert value in str(raised.value)


def test_a_server_that_is_given_its_socket_is_one_process():
    both = {"PENNANT_WORKERS": "2", "PENNANT_LISTENER_FD": "3"}
    with pytest.raises(SettingsError, match="PENNANT_WORKERS=2 does not go with PENNANT_LISTENER"):
        Settings.from_env(REQUIRED | both)


def test_a_share_that_is_none_is_told_what_to_write():
    with pytest.raises(SettingsError, match=r"set the share of requests, such as 0\.01"):
        Settings.from_env(REQUIRED | {"PENNANT_PAYLOAD_LOG_RATIO": "10"})


def test_names_to_redact_are_separated_by_commas():
    read = Settings.from_env(REQUIRED | {"PENNANT_PAYLOAD_LOG_REDACT": "user, home address,,"})
    assert read.payload_log_redact == ("user", "home address")


def test_a_volume_with_another_version_is_refused(tmp_path):
    (tmp_path / "bundle").mkdir()
    on_volume(tmp_path / "bundle", version="8")
    with pytest.raises(PodError, match="holds version 8 of iris") as raised:
        open_bundle(tmp_path / "bundle", "iris", "7")
    assert raised.value.reason is Reason.DIGEST_MISMATCH


def test_a_volume_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(PodError, match="fetch did not finish") as raised:
        open_bundle(tmp_path / "bundle", "iris", "7")
    assert raised.value.reason is Reason.LOAD_FAILED
