"""The Grafana dashboards: what Grafana can read, made of what is told, and never empty.

Looking at them takes Grafana, which no test has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from pennant_testing.folders import REPOSITORY
from pennant_testing.memory.counted_metrics import (
    KEY,
    counted_operator,
    counted_pod,
    exposed,
)
from pennant_testing.truth.prometheus import Question, answers, scraped
from pennant_testing.truth.promql import asked_for, grouped_by

pytestmark = pytest.mark.contract

MONITORING = REPOSITORY / "manifests" / "monitoring"
DASHBOARDS = {path.stem: path for path in sorted((MONITORING / "dashboards").glob("*.json"))}
CONTENTS = {name: json.loads(path.read_text()) for name, path in DASHBOARDS.items()}
RULES = yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]
POD = {
    "namespace": KEY[0],
    "pod": "rec-blue-1",
    "pennant_dev_deployment": KEY[1],
    "pennant_dev_revision": "abc",
    "pennant_dev_slot": "blue",
}
"""What Prometheus knows of a pod of the ModelDeployment, by the PodMonitor."""
CHOSEN = {"namespace": KEY[0], "name": KEY[1], "__rate_interval": "5m"}
"""What a person chose, and what Grafana makes of the rest."""


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, content in CONTENTS.items():
        for panel in content["panels"]:
            yield name, panel


def constants(name: str) -> dict[str, str]:
    variables = CONTENTS[name]["templating"]["list"]
    return {each["name"]: each["query"] for each in variables if each["type"] == "constant"}


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    """What each panel asks, as Grafana sends it."""
    for name, panel in panels():
        for target in panel["targets"]:
            yield f"{name}: {panel['title']}", {**target, "expr": filled_in(name, target["expr"])}


def filled_in(name: str, expr: str) -> str:
    for variable, value in (CHOSEN | constants(name)).items():
        expr = re.sub(rf"\${variable}\b", lambda _, value=value: value, expr)
    assert "$" not in expr
    return expr


def series() -> list[str]:
    """What Prometheus has after ten minutes with one replica of the operator, and one pod."""
    operator = scraped(exposed(counted_operator()), pod="pennant-operator-1")
    pod = scraped(exposed(counted_pod("news", "8")), **POD)
    return [*operator, *pod]


def kept(content: Any, read: Any) -> bool:
    """All that is written was read; what is not written, Grafana has a default for."""
    if isinstance(content, dict):
        return all(name in read and kept(value, read[name]) for name, value in content.items())
    if isinstance(content, list):
        return len(content) == len(read) and all(map(kept, content, read))
    return bool(content == read)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafanas_own_types_know_every_field(name: str):
    register_default_plugins()
    content = CONTENTS[name]
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(content)))
    assert kept(content, read)
    content = json.loads(json.dumps(content).replace("legendFormat", "legend"))
    assert not kept(content, json.loads(JSONEncoder().encode(Dashboard.from_json(content))))


def test_every_panel_has_a_number_a_place_and_nothing_over_it():
    for name, content in CONTENTS.items():
        places = [panel["gridPos"] for panel in content["panels"]]
        covered = [
            (x, y)
            for at in places
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(covered) == len(set(covered)), name
        assert max(x for x, _ in covered) < 24
        numbers = [panel["id"] for panel in content["panels"]]
        assert numbers == [*range(1, len(numbers) + 1)]


def test_a_number_is_that_of_now_and_not_the_last_that_there_was():
    stats = [panel for _, panel in panels() if panel["type"] in {"stat", "table"}]
    assert all(target["instant"] for panel in stats for target in panel["targets"])


def test_they_ask_for_what_is_told_and_show_labels_that_it_has():
    known: dict[str, set[str]] = {}
    for each in series():
        name, _, labels = each.partition("{")
        known.setdefault(name, {"le"}).update(re.findall(r'(\w+)="', labels))
    for panel, target in targets():
        expr = target["expr"]
        metrics = asked_for(expr)
        assert metrics, panel
        for metric, labels in metrics.items():
            assert labels <= known[metric], panel
        grouped = grouped_by(expr)
        assert grouped <= set().union(*(known[metric] for metric in metrics)), panel
        assert {*re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))} <= grouped, panel


def test_prometheus_answers_every_panel_with_numbers():
    exprs = {target["expr"]: panel for panel, target in targets()}
    (found,) = answers(RULES, [Question(series(), exprs=[*exprs])])
    for expr, panel in exprs.items():
        values = [value for _, value in found.values[expr]]
        assert values, panel
        assert not any(value != value for value in values), panel
    (share,) = (expr for expr, panel in exprs.items() if panel.endswith("Error rate"))
    assert [value for _, value in found.values[share]] == [pytest.approx(0.25)]


def test_what_a_pod_is_known_by_is_what_its_podmonitor_gives():
    _, models = yaml.safe_load_all((MONITORING / "monitors.yaml").read_text())
    given = {re.sub(r"\W", "_", label) for label in models["spec"]["podTargetLabels"]}
    assert given | {"namespace", "pod"} == POD.keys()


def test_they_leave_out_and_take_for_failures_what_the_alert_does():
    (expr,) = (
        r["expr"] for g in RULES["groups"] for r in g["rules"] if "ModelErrors" in r["alert"]
    )
    for value in constants("modeldeployment").values():
        assert f'~"{value}"' in expr
    assert CONTENTS["fleet"]["uid"] in json.dumps(CONTENTS["modeldeployment"]["links"])
    assert f"/d/{CONTENTS['modeldeployment']['uid']}?" in json.dumps(CONTENTS["fleet"]["panels"])
