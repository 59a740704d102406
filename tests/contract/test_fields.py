"""Every field of both definitions is read: some value of it changes what is decided.

One that no code reads would be taken, explained, and do nothing.
"""

import contextlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pennant_operator.decide.manifests.render import deployment_of
from pennant_operator.decide.registry import registries
from pennant_operator.decide.seen.spec import InvalidSpecError, parse_spec
from pennant_serving.environ import SettingsError
from pennant_serving.settings import Settings
from pennant_testing.memory.field_values import FieldPath, leaves, put, schema, variants
from pennant_testing.memory.object_builders import IMAGES, model_deployment, version

pytestmark = pytest.mark.contract

REGISTRIES = (Path(__file__).parents[2] / "docs" / "registries.md").read_text()
TABLE = REGISTRIES.partition("## Fields\n")[2].partition("\n## ")[0]
SERVER = {
    "mode": "Custom",
    "image": "api:1",
    "port": 9000,
    "probes": {"readiness": {"tcpSocket": {}}},
}
# `serve` reads it before it has settings: which packages it runs with comes first.
BEFORE_SETTINGS = ("environment",)
OF_CUSTOM = ("mode", "command", "args", "port", "probes", "writableRoot")
# What a field is written into: some exclude each other, and some are nothing by themselves.
MODELDEPLOYMENTS: tuple[dict[str, Any], ...] = (
    {"model": {"name": "news", "alias": "production"}},
    {"model": {"name": "news", "stage": "Production"}},
    {"model": {"name": "news", "version": "7"}},
    {"model": {"name": "news", "alias": "production"}, "serving": SERVER},
    {
        "model": {"name": "news", "alias": "production"},
        "serving": {"storage": {"cache": {"claimName": "model-cache"}}},
    },
    {
        "model": {"name": "news", "alias": "production"},
        "mirror": {"to": "challenger", "percent": "10"},
    },
)
URL = "http://mlflow.example"
MODELREGISTRIES: tuple[dict[str, Any], ...] = (
    {"url": URL},
    {"url": URL, "webhook": {"secret": {"name": "hooks"}, "register": True, "url": URL}},
    {"url": URL, "artifacts": {"mode": "Proxied", "root": "s3://bucket"}},
    {"url": URL, "environments": {"indexURL": URL}},
    {"url": URL, "writeBack": {"cluster": "eu-1"}},
)


def decided(spec: dict[str, Any]) -> Any:
    """What a ModelDeployment's spec leads to; None where it is refused."""
    try:
        parsed = parse_spec(model_deployment(**spec))
    except InvalidSpecError:
        return None
    # As written it is in the revision's name, whoever reads it.
    return replace(parsed, serving={}), deployment_of(parsed, version(7), "abc123", IMAGES)


def understood(spec: dict[str, Any]) -> Any:
    """What is made of a ModelRegistry's spec; None where it is refused."""
    try:
        return registries.parse_registry({"metadata": {"name": "default"}, "spec": spec})
    except registries.InvalidRegistryError:
        return None


def values(plural: str, path: FieldPath) -> list[Any]:
    """Values of one field, read off its schema, which does not tell what a version looks like."""
    tried = list(variants(schema(plural, *path), path[-1]))
    return [*tried, "8"] if path == ("model", "version") else tried


def choices(plural: str) -> list[FieldPath]:
    """The fields of a spec that have more than one value."""
    every = leaves(schema(plural))
    return [path for path in every if len(schema(plural, *path).get("enum", "..")) > 1]


@pytest.mark.parametrize("path", choices("modeldeployments"), ids=".".join)
def test_every_field_of_a_modeldeployment_changes_what_is_decided(path: FieldPath):
    assert any(
        decided(put(base, path, value)) not in (None, decided(base))
        for base in MODELDEPLOYMENTS
        for value in values("modeldeployments", path)
    )


@pytest.mark.parametrize("path", choices("modelregistries"), ids=".".join)
def test_every_field_of_a_modelregistry_changes_what_is_understood(path: FieldPath):
    assert any(
        understood(put(base, path, value)) not in (None, understood(base))
        for base in MODELREGISTRIES
        for value in values("modelregistries", path)
    )


def variables(serving: dict[str, Any]) -> dict[str, str]:
    """Ours of the serving container."""
    spec = parse_spec(model_deployment(serving=serving))
    pod = deployment_of(spec, version(7), "abc123", IMAGES)["spec"]["template"]["spec"]
    every = ((each["name"], each.get("value")) for each in pod["containers"][0]["env"])
    return {name: value for name, value in every if value and name.startswith("PENNANT_")}


def settings(environ: dict[str, str]) -> Settings | None:
    """What the server makes of them; None where it refuses."""
    try:
        return Settings.from_env(environ)
    except SettingsError:
        return None


def rendered(path: FieldPath) -> list[dict[str, str]]:
    """Our variables for each value of a field."""
    environments = []
    for value in values("modeldeployments", path):
        with contextlib.suppress(InvalidSpecError):
            environments.append(variables(put({}, path[1:], value)))
    return environments


def test_every_variable_that_a_field_becomes_is_a_setting_of_the_server():
    without, unread, read = variables({}), [], []
    for path in choices("modeldeployments"):
        if path[0] != "serving" or path[1] in (*OF_CUSTOM, *BEFORE_SETTINGS):
            continue
        changed = [each for each in rendered(path) if each != without]
        if changed:
            known = {settings(each) for each in changed} - {None, settings(without)}
            (read if known else unread).append(".".join(path))
    assert unread == []
    assert "serving.workers" in read


def test_every_field_of_a_modelregistry_is_in_the_reference():
    rows = re.findall(r"^\| (`.*?`) \|", TABLE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert named == {".".join(path) for path in leaves(schema("modelregistries"))}
