"""What stands in several places stands in all of them: CONTRIBUTING.md's recipes rest on it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from pennant_operator.decide.candidate.faults import FAULTS
from pennant_operator.decide.vocabulary import EventReason, Reason
from pennant_operator.run.metrics import _RESULTS
from pennant_serving.adapters import BUILT_IN, class_of, flavors, versions
from pennant_serving.environ import SettingsError
from pennant_serving.failures import Reason as PodReason
from pennant_serving.fetch.settings import Settings as FetchSettings
from pennant_serving.metrics.telemetry import FAMILIES, Telemetry
from pennant_serving.settings import BUILT_IN_ADAPTERS, Settings

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text()
FIELDS = (ROOT / "docs" / "fields.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()
DECIDE = ROOT / "operator" / "pennant_operator" / "decide"
CRD = yaml.safe_load((ROOT / "manifests" / "crd" / "modeldeployments.yaml").read_text())
SPEC = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def section(page: str, title: str) -> str:
    """The text below a heading, to the next one."""
    return re.split(r"^#+ ", page.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


# Reasons


def sources() -> str:
    """The operator's code; neither the words themselves nor whose fault each is gives one."""
    folder = ROOT / "operator" / "pennant_operator"
    texts = [path.read_text() for path in folder.rglob("*.py") if path.name != "vocabulary.py"]
    return re.sub(r"Reason\.\w+: Answer\(", "", "".join(texts))


def asserted() -> str:
    """All tests but those that compare lists, and the truth table that one of them holds."""
    modules = (path for path in (ROOT / "tests").rglob("*.py") if path.parent.name != "contract")
    table = ROOT / "tests" / "golden" / "conditions.md"
    return "".join(path.read_text() for path in (*modules, table))


CODE, TESTS = sources(), asserted()
# Nothing looks for it yet: a container of the user's own may leave it as its message.
NOT_GIVEN = {Reason.ENVIRONMENT_MISMATCH}


def is_given(reason: Reason | EventReason) -> bool:
    by_a_container = isinstance(reason, Reason) and str(reason) in list(PodReason)
    return by_a_container or bool(re.search(rf"{type(reason).__name__}\.{reason.name}\b", CODE))


def test_every_reason_is_given_somewhere_in_the_code():
    assert {each for each in (*Reason, *EventReason) if not is_given(each)} == NOT_GIVEN


@pytest.mark.parametrize("reason", [*Reason, *EventReason])
def test_every_reason_is_named_by_a_test(reason: Reason | EventReason):
    named = rf"\b{reason}\b|\b{type(reason).__name__}\.{reason.name}\b"
    assert reason in NOT_GIVEN or re.search(named, TESTS)


def test_every_fault_is_one_that_the_code_finds():
    assert {reason for reason in FAULTS if not is_given(reason)} == NOT_GIVEN


def test_the_results_of_rollouts_are_those_of_the_page():
    (row,) = re.findall(r"^\| `pennant_rollouts_total.*?` \| (.*) \|$", METRICS, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(_RESULTS.values())


# Metrics of serving


def test_the_page_has_every_metric_of_the_server_with_its_labels():
    rows = re.findall(r"^\| (`pennant.*?) \|(.*)\|$", section(SERVING, "Metrics"), re.MULTILINE)
    labels = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    assert labels.keys() == {family.name for family in Telemetry("news", "7").collect()}
    for family in FAMILIES:
        assert [each for each in family.labels[2:] if f"`{each}`" not in labels[family.name]] == []


# Adapters

NAMES = ("auto", *BUILT_IN)
FLAVOR_MODELS = (ROOT / "tests" / "flavor_models.py").read_text()
BOOSTERS = (ROOT / "tests" / "e2e" / "test_boosters.py").read_text()


def test_the_server_knows_the_adapters_that_there_are():
    assert BUILT_IN_ADAPTERS == NAMES


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_adapter_is_a_class_that_loads(name: str):
    assert callable(class_of(name).load)


def test_the_definition_takes_the_adapters_that_there_are():
    adapter = SPEC["serving"]["properties"]["adapter"]
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
    rows = re.findall(flavor_then_adapter, section(SERVING, "Adapters"), re.MULTILINE)
    assert rows == [(name, name) for name in flavors.NATIVE]


def test_every_flavor_has_its_adapter_and_its_library_in_every_list():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*flavors.NATIVE, "pyfunc"} == BUILT_IN.keys()
    assert versions.LIBRARIES.keys() == set(flavors.NATIVE)
    assert flavors.LIBRARIES.keys() <= extras["optional-dependencies"].keys()


@pytest.mark.parametrize("flavor", flavors.LIBRARIES)
def test_every_flavor_with_a_library_of_its_own_has_models_and_pods_in_the_tests(flavor: str):
    assert re.search(rf'^    "{flavor}\b.*":', FLAVOR_MODELS, re.MULTILINE)
    assert f'    "{flavor}": ' in BOOSTERS


# Strategies


def strategies() -> set[str]:
    """The modules of traffic/ that hold a function of their own name."""
    modules = (DECIDE / "traffic").glob("*.py")
    return {path.stem for path in modules if f"\ndef {path.stem}(" in path.read_text()}


def test_a_strategy_is_a_module_a_value_of_the_definition_and_on_the_page():
    values = SPEC["rollout"]["properties"]["strategy"]["enum"]
    snake = {re.sub(r"(?<=.)(?=[A-Z])", "_", value).lower(): value for value in values}
    assert strategies() == snake.keys()
    (row,) = re.findall(r"^\| `rollout\.strategy` \|.*$", FIELDS, re.MULTILINE)
    assert [value for value in values if f"`{value}`" not in row] == []


# Settings of serving

REQUIRED = {
    "PENNANT_MODEL_NAME": "news",
    "PENNANT_MODEL_VERSION": "7",
    "PENNANT_MODEL_SOURCE": "mlflow-artifacts:/1/a",
    "PENNANT_REGISTRY_URL": "http://mlflow.example",
}
ROWS = re.findall(
    r"^\| (`.+?`) \| (\w+) \| (.+?) \|", section(SERVING, "Environment"), re.MULTILINE
)
DEFAULTS = {
    (variable, reader): default.strip("`")
    for variables, reader, default in ROWS
    for variable in re.findall(r"`(PENNANT_\w+)`", variables)
    if default.strip("`")[0].isdigit() or default.startswith("`")
}
READERS = {"serve": (Settings,), "fetch": (FetchSettings,), "both": (Settings, FetchSettings)}


@pytest.mark.parametrize(("variable", "reader"), DEFAULTS)
def test_a_default_of_the_page_is_the_codes(variable: str, reader: str):
    for settings in READERS[reader]:
        written = settings.from_env(REQUIRED | {variable: DEFAULTS[variable, reader]})
        assert written == settings.from_env(REQUIRED)


READ_FIRST = "PENNANT_TERMINATION_LOG"  # a bad setting is written there


@pytest.mark.parametrize(("variable", "reader"), [d for d in DEFAULTS if d[0] != READ_FIRST])
def test_a_variable_with_a_default_is_read_by_whom_the_page_says(variable: str, reader: str):
    """Another value makes other settings, or is refused by name."""
    for settings in READERS[reader]:
        try:
            assert settings.from_env(REQUIRED | {variable: "0.5"}) != settings.from_env(REQUIRED)
        except SettingsError as error:
            assert variable in str(error)  # noqa: PT017 - or it is not refused at all
