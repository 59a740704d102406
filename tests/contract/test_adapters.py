"""The names of adapters and flavors are the same in code, definition, pages, images and tests."""

import re
import tomllib
from pathlib import Path

import pytest

from pennant_serving.adapters import flavors, versions
from pennant_serving.adapters.loading import class_of
from pennant_serving.adapters.names import BUILT_IN
from pennant_serving.model.metadata import ANSWER_ARRAYS
from pennant_serving.settings import ADAPTERS
from pennant_testing.memory.field_values import schema

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text()
TABLE = SERVING.partition("## Adapters\n")[2].partition("\n## ")[0]
FIELDS = (ROOT / "docs" / "fields.md").read_text()
NAMES = ("auto", *BUILT_IN)
FLAVOR_MODELS = (ROOT / "tests/support/pennant_testing/serving/flavor_models.py").read_text()
BOOSTERS = (ROOT / "tests" / "e2e" / "test_boosters.py").read_text()


def test_the_server_knows_the_adapters_that_there_are():
    assert ADAPTERS == NAMES


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_adapter_is_a_class_that_loads(name: str):
    assert callable(class_of(name).load)


def test_the_definition_takes_the_adapters_that_there_are():
    adapter = schema("modeldeployments", "serving", "adapter")
    (rule,) = adapter["x-kubernetes-validations"]
    assert tuple(re.findall(r"'(\w+)'", rule["rule"].partition("]")[0])) == NAMES
    assert f"must be {', '.join(NAMES)} or module:Class" in rule["message"]
    assert f": {', '.join(NAMES)}, or an importable class" in adapter["description"]


def test_both_pages_have_the_adapters_that_there_are():
    names = f"`auto` | {', '.join(f'`{name}`' for name in (*NAMES, 'module:Class'))}"
    assert f"| `adapter` | {names}" in FIELDS
    assert f"| `PENNANT_ADAPTER` | serve | {names} |" in SERVING


def test_the_page_has_every_flavor_in_the_order_that_auto_goes_by():
    flavor_then_adapter = r"^\| `(\w+)` \| `(\w+)` \|"
    rows = re.findall(flavor_then_adapter, TABLE, re.MULTILINE)
    assert rows == [(name, name) for name in flavors.NATIVE]


def test_every_flavor_has_its_adapter_and_its_library_in_every_list():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*flavors.NATIVE, "pyfunc"} == BUILT_IN.keys()
    assert versions.LIBRARIES.keys() == set(flavors.NATIVE)
    assert flavors.LIBRARIES.keys() <= extras["optional-dependencies"].keys()


def test_predictions_have_no_name_in_any_flavor_but_onnx_whose_graphs_have_outputs():
    assert {*ANSWER_ARRAYS, "onnx"} == {*flavors.NATIVE}


@pytest.mark.parametrize("flavor", flavors.LIBRARIES)
def test_every_flavor_with_a_library_of_its_own_has_models_and_pods_in_the_tests(flavor: str):
    assert re.search(rf'^    "{flavor}\b.*":', FLAVOR_MODELS, re.MULTILINE)
    assert f'    "{flavor}": ' in BOOSTERS
