"""Variables that the operator cannot use are named, with what to do."""

import json
import logging

import pytest

from pennant_operator import config
from pennant_operator.config import Config, ConfigError
from pennant_operator.run.logs import JsonLines

pytestmark = pytest.mark.unit

GIVEN = {"PENNANT_FETCH_IMAGE": "fetch:1", "PENNANT_NAMESPACE": "pennant-system"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PENNANT_FETCH_IMAGE", "", "PENNANT_FETCH_IMAGE is not set: it names the image"),
        ("PENNANT_HTTP_PORT", "http", "PENNANT_HTTP_PORT='http': set a number from 0 to 65535"),
        ("PENNANT_HTTP_PORT", "80.5", "PENNANT_HTTP_PORT='80.5'"),
        ("PENNANT_WORKERS", "0", "PENNANT_WORKERS='0': set a number from 1 to 1000"),
        ("PENNANT_POD_FS_GROUP", "0", "PENNANT_POD_FS_GROUP='0': set a number from 1"),
        ("PENNANT_WRITE_RATE", "nan", "PENNANT_WRITE_RATE='nan'"),
        ("PENNANT_LOG_LEVEL", "loud", "PENNANT_LOG_LEVEL='loud': set one of debug, info"),
        ("PENNANT_SERVING_IMAGES", "3=a:1", "PENNANT_SERVING_IMAGES, '3=a:1': write PYTHON=IMAGE"),
        ("PENNANT_SERVING_IMAGES", "3.12=", "PENNANT_SERVING_IMAGES, '3.12='"),
        ("PENNANT_SERVING_IMAGES", "3.12=a:1,3.12=a:2", "'3.12=a:2': write PYTHON=IMAGE once"),
        ("PENNANT_DECISIONS", "all", "PENNANT_DECISIONS='all': set one of off, brief, full"),
        ("PENNANT_LEADER_ELECT", "perhaps", "PENNANT_LEADER_ELECT='perhaps': set one of"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_with_its_value(name: str, value: str, says: str):
    with pytest.raises(ConfigError) as error:
        Config.from_env({**GIVEN, name: value})
    assert says in str(error.value)


def test_the_namespace_is_the_service_accounts_unless_it_is_set(tmp_path, monkeypatch):
    alone = {"PENNANT_FETCH_IMAGE": "fetch:1"}
    monkeypatch.setattr(config, "NAMESPACE_FILE", tmp_path / "namespace")
    with pytest.raises(ConfigError, match="PENNANT_NAMESPACE is not set"):
        Config.from_env(alone)
    (tmp_path / "namespace").write_text("elsewhere\n")
    assert Config.from_env(alone).namespace == "elsewhere"
    assert Config.from_env(GIVEN).namespace == "pennant-system"


@pytest.mark.parametrize(("text", "group"), [("", 65532), ("2000", 2000), ("none", None)])
def test_the_group_of_model_pods_is_a_number_or_the_clusters_choice(text: str, group: int | None):
    assert Config.from_env({**GIVEN, "PENNANT_POD_FS_GROUP": text}).pod_fs_group == group


def test_images_are_listed_by_their_python():
    text = "3.12=registry.example.com/serving:1, 3.13=serving@sha256:00"
    assert Config.from_env({**GIVEN, "PENNANT_SERVING_IMAGES": text}).serving_images == {
        "3.12": "registry.example.com/serving:1",
        "3.13": "serving@sha256:00",
    }


def test_a_json_line_tells_the_exception_beside_the_message():
    error = ValueError("no such thing")
    where = ("pennant", logging.ERROR, __file__, 1, "%s: not reconciled", ("team/rec",))
    record = logging.LogRecord(*where, exc_info=(type(error), error, None))
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["logger"]) == ("error", "pennant")
    assert line["message"] == "team/rec: not reconciled"
    assert line["exception"].endswith("ValueError: no such thing")
    assert line["time"].endswith("+00:00")
