"""docs/serving.md has the settings of `serve` and `fetch`, with the defaults that they have."""

import contextlib
import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from pennant_serving.environ import SettingsError
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.settings import Settings

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text()
ARTIFACTS = (ROOT / "docs" / "artifacts.md").read_text()
TABLE = SERVING.partition("## Environment\n")[2].partition("\n## ")[0]
REQUIRED = {
    "PENNANT_MODEL_NAME": "news",
    "PENNANT_MODEL_VERSION": "7",
    "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/a",
    "PENNANT_REGISTRY_URL": "http://mlflow.example",
    "PENNANT_INDEX_URL": "http://packages.example/simple",
    "PENNANT_CACHE_PATH": "/cache",
}
ROWS = re.findall(r"^\| (`.+?`) \| (\w+) \| (.+?) \|", TABLE, re.MULTILINE)
DEFAULTS = {
    (variable, reader): default.strip("`")
    for variables, reader, default in ROWS
    for variable in re.findall(r"`(PENNANT_\w+)`", variables)
    if default.strip("`")[0].isdigit() or default.startswith("`")
}
VALUES = (
    "0.5",
    "2",
    "true",
    "Rows",
    "Off",
    "team:Adapter",
    "http://collector:4318",
    "Bundle",
    "copy",
    __file__,  # where one is named
)
FOUND = {Settings: {"environment"}, FetchSettings: set[str]()}
"""Settings that are read off the volume."""
READERS = {"serve": (Settings,), "fetch": (FetchSettings,), "both": (Settings, FetchSettings)}


def set_by(variable: str, settings: type[Settings | FetchSettings]) -> set[str]:
    """The settings that some value of a variable changes."""
    before, changed = asdict(settings.from_env(REQUIRED)), set()
    for value in VALUES:
        with contextlib.suppress(SettingsError):
            after = asdict(settings.from_env(REQUIRED | {variable: value}))
            changed |= {name for name in after if after[name] != before[name]}
    return changed


@pytest.mark.parametrize("settings", [Settings, FetchSettings])
def test_every_setting_is_read_from_a_variable_of_the_page(settings):
    variables = {each for names, *_ in ROWS for each in re.findall(r"`([\w.]+)`", names)}
    variables |= {*re.findall(r"`([A-Z0-9_]+)`", ARTIFACTS)}  # of stores
    changed = {name for variable in variables for name in set_by(variable, settings)}
    assert {field.name for field in fields(settings)} - changed == FOUND[settings]


@pytest.mark.parametrize(("variable", "reader"), DEFAULTS)
def test_a_default_of_the_page_is_the_codes(variable: str, reader: str):
    for settings in READERS[reader]:
        written = settings.from_env(REQUIRED | {variable: DEFAULTS[variable, reader]})
        assert written == settings.from_env(REQUIRED)


# A bad setting is written there; which packages a server has is known before its settings are.
READ_FIRST = {"PENNANT_TERMINATION_LOG", "PENNANT_ENVIRONMENT"}


@pytest.mark.parametrize(("variable", "reader"), [d for d in DEFAULTS if d[0] not in READ_FIRST])
def test_a_variable_with_a_default_is_read_by_whom_the_page_says(variable: str, reader: str):
    assert all(set_by(variable, settings) for settings in READERS[reader])
