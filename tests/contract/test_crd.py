"""The CRDs, the operator's parsing and its vocabulary agree."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pennant_operator.decide.seen.observed import Turn
from pennant_operator.decide.status.condition_state import MESSAGE_LIMIT, stamped_condition
from pennant_operator.decide.vocabulary import API_VERSION, GROUP, VERSION
from pennant_registry.durations import DURATION, MAX_DURATION_LENGTH, parse_duration
from pennant_registry.gates import VersionFacts, parse
from pennant_registry.hold_form import holds_among
from pennant_testing.memory import field_values
from pennant_testing.memory.canaries import at_first_step, canary
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.receivers import notifier
from pennant_testing.memory.rolls import halfway
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import fails, stays_pending

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CRDS = ROOT / "manifests" / "crd"
FIELDS = (ROOT / "docs" / "fields.md").read_text()


def schema(plural: str) -> dict:
    crd = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    assert crd["metadata"]["name"] == f"{plural}.{GROUP}"
    (served,) = crd["spec"]["versions"]
    assert f"{GROUP}/{served['name']}" == API_VERSION
    assert served["name"] == VERSION
    return served["schema"]["openAPIV3Schema"]["properties"]


def unknown_fields(value, allowed: dict, path: str = "status") -> list[str]:
    """Fields that the API server would silently drop."""
    if isinstance(value, list):
        return [f for item in value for f in unknown_fields(item, allowed["items"], path)]
    if not isinstance(value, dict) or "properties" not in allowed:
        return []
    known = allowed["properties"]
    missing = [f"{path}.{field}" for field in value if field not in known]
    nested = [
        found
        for field in value
        if field in known
        for found in unknown_fields(value[field], known[field], f"{path}.{field}")
    ]
    return missing + nested


def statuses():
    """Statuses of rollouts that pass, are rejected, are held, may not begin, and wait."""
    gates = {"tags": [{"key": "approved"}]}
    tags = {
        "pennant.hold.production.8": '{"reason": "bad", "by": "ann", '
        '"since": "2026-11-21T12:00:00Z", "until": "2026-12-01T12:00:00Z"}'
    }
    for behaviour, asked, holds, braked, turn in (
        (None, {}, {}, False, Turn()),
        (fails("LoadFailed"), {}, {}, False, Turn()),
        (stays_pending, {}, {}, False, Turn()),
        (None, gates, {}, False, Turn()),
        (None, {}, tags, False, Turn()),
        (None, {}, {}, True, Turn()),
        (None, {}, {}, False, Turn(20)),
    ):
        sim = Simulation(
            version(7, tag=False),
            owner=model_deployment(rollout={"deadlines": {"schedule": "1s"}}),
        )
        sim.run(4)
        sim.specify(gates=asked)
        sim.registry = replace(REGISTRY, gates=parse(asked), braked=braked, notifiers=(notifier(),))
        sim.holds = holds_among(holds, "production")
        sim.turn = turn
        sim.facts = {"8": VersionFacts("8", tags={"approved": ""})}
        if behaviour:
            sim.behaviour["8"] = behaviour
        sim.desired = version(8)
        for _ in range(6):
            sim.step()
            yield sim.status
        if asked:
            sim.act("Approve", version="8")
            sim.step()
            yield sim.status
    yield from judged_statuses()
    yield halfway().status
    sim = at_first_step(canary())
    sim.specify(mirror={"to": "challenger", "percent": "10"})
    sim.step()
    yield sim.status


def judged_statuses():
    """Of a first version whose answers are errors, and of one that bakes after it."""
    sim = Simulation(version(7))
    sim.answers["7"] = answered(60, errors=60)
    for number in (7, 8):
        sim.desired = version(number)
        for _ in range(8):
            sim.step()
            yield sim.status


def test_no_field_of_a_status_is_dropped_by_the_schema():
    allowed = schema("modeldeployments")["status"]
    assert [f for status in statuses() for f in unknown_fields(status, allowed)] == []


def test_every_status_field_of_the_schema_is_written_by_some_plan():
    written = {field for status in statuses() for field in status}
    assert written == set(schema("modeldeployments")["status"]["properties"])


def test_no_message_is_longer_than_the_api_server_takes():
    for plural in ("modeldeployments", "modelregistries"):
        conditions = schema(plural)["status"]["properties"]["conditions"]["items"]["properties"]
        assert conditions["message"]["maxLength"] == MESSAGE_LIMIT
    made = stamped_condition([], "Ready", "True", "Serving", "x" * 10**6, generation=1, now=NOW)
    assert len(made["message"]) == MESSAGE_LIMIT


def test_durations_have_defaults_that_the_operator_understands():
    rollout = schema("modeldeployments")["spec"]["properties"]["rollout"]["properties"]
    fields = [rollout["bake"], *rollout["deadlines"]["properties"].values()]
    assert all(parse_duration(field["default"]).total_seconds() > 0 for field in fields)


def durations(allowed: dict) -> list[dict]:
    """Every field of a schema whose default is a duration."""
    if re.fullmatch(DURATION, str(allowed.get("default", ""))):
        return [allowed]
    return [
        nested for field in allowed.get("properties", {}).values() for nested in durations(field)
    ]


@pytest.mark.parametrize(("plural", "count"), [("modeldeployments", 6), ("modelregistries", 1)])
def test_the_api_server_takes_the_durations_that_the_operator_takes(plural, count):
    fields = durations(schema(plural)["spec"])
    assert len(fields) == count
    for field in fields:
        words = field["x-kubernetes-validations"][0]
        assert words["rule"] == f"self.matches('^{DURATION}$')"
        assert "must be a duration such as" in words["message"]
        assert field["maxLength"] == MAX_DURATION_LENGTH


@pytest.mark.parametrize("text", ["", "2", "2 m", "1d", "-1s", "1000000h", "1.0001s", "9m" * 11])
def test_a_duration_that_is_none_is_told_what_one_looks_like(text):
    with pytest.raises(ValueError, match=r"is not a duration: write for example 30s, 2m or 1h30m"):
        parse_duration(text)


def test_a_delay_of_batching_is_a_duration_too():
    serving = schema("modeldeployments")["spec"]["properties"]["serving"]["properties"]
    delay = serving["batching"]["properties"]["maxDelay"]
    assert delay["x-kubernetes-validations"][0]["rule"] == f"self.matches('^{DURATION}$')"


def defaulted(allowed: dict, path: str) -> list[str]:
    """Every field that the API server fills in."""
    below = allowed.get("properties", {}).items()
    nested = [leaf for name, part in below for leaf in defaulted(part, f"{path}.{name}")]
    return [path, *nested] if "default" in allowed else nested


def test_the_api_server_fills_in_nothing_that_names_a_revision():
    """A default that came later would roll every object."""
    serving = schema("modeldeployments")["spec"]["properties"]["serving"]
    assert defaulted(serving, "spec.serving") == []


def test_the_longest_duration_is_still_before_the_end_of_time():
    assert (NOW + parse_duration("999999h999999h99999h")).year < 2500


def undescribed(allowed: dict, path: str) -> list[str]:
    """Fields of which `kubectl explain` would say `<no description>`."""
    below = allowed.get("properties", {}).items()
    nested = [field for name, part in below for field in undescribed(part, f"{path}.{name}")]
    nested += undescribed(allowed["items"], f"{path}[]") if "items" in allowed else []
    return nested if path.endswith("]") or allowed.get("description") else [path, *nested]


@pytest.mark.parametrize("plural", ["modeldeployments", "modelregistries", "rolloutactions"])
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_says_what_it_is(plural, part):
    """`kubectl explain` is documentation."""
    assert undescribed(schema(plural)[part], part) == []


LEAVES = field_values.leaves(field_values.schema("modeldeployments"))
WRITTEN = [".".join(path).removeprefix("serving.") for path in LEAVES]


@pytest.mark.parametrize("field", WRITTEN)
def test_every_field_is_in_the_reference(field):
    assert f"`{field}`" in FIELDS


OF_ACTIONS = [".".join(path) for path in field_values.leaves(field_values.schema("rolloutactions"))]


@pytest.mark.parametrize("field", OF_ACTIONS)
def test_every_field_of_a_rolloutaction_is_in_the_reference(field):
    assert f"`{field}`" in FIELDS.partition("## RolloutAction\n")[2]


def test_every_field_of_the_reference_is_one():
    rows = re.findall(r"^\| (`.*?`) \|", FIELDS, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert named <= {*WRITTEN, *OF_ACTIONS}
