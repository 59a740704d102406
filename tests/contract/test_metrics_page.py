"""docs/metrics.md has every metric of the operator, and alerts ask for metrics that exist.

Those of the server are on docs/serving.md, but for those of shares. Those of registries are on
docs/registries.md: test_registry_docs.py.
"""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from pennant_dev.settings import REPOSITORY
from pennant_operator.decide.manifests.render import deployment_of
from pennant_operator.decide.seen.spec import parse_spec
from pennant_operator.run.metrics.metrics import _RESULTS, Metrics
from pennant_serving.lobby.counts import LobbyCounts
from pennant_serving.metrics.telemetry import FAMILIES, Telemetry
from pennant_serving.traffic.counting import FAMILIES as SHARES
from pennant_testing.memory.counted_metrics import operator_metrics
from pennant_testing.memory.object_builders import IMAGES, NOW, model_deployment, version
from pennant_testing.truth.promql import asked_for, grouped_by, increases_asked_for

pytestmark = pytest.mark.contract

PAGE = (REPOSITORY / "docs" / "metrics.md").read_text()
RUNBOOKS = (REPOSITORY / "docs" / "runbooks.md").read_text()
MONITORING = REPOSITORY / "manifests" / "monitoring"
SERVING = (REPOSITORY / "docs" / "serving.md").read_text()
ROW = re.compile(r"^\| `(pennant_\w+)(?:\{([^}]*)\})?`", re.MULTILINE)


def exposed() -> dict[str, set[str]]:
    """Metric -> its labels, as the operator registers them."""
    metrics = Metrics(depth=int, may_write=float, now=lambda: datetime.now(UTC))
    collectors = list(metrics.registry._collector_to_names)
    labels_of: dict[str, set[str]] = {}
    for collector in collectors:
        for family in collector.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
            labels_of[name] = set(labels)
    return {name: labels for name, labels in labels_of.items() if name.startswith("pennant_")}


def test_the_page_has_every_metric_with_its_labels():
    listed = {
        name: {label.strip() for label in labels.split(",") if label.strip()}
        for name, labels in ROW.findall(PAGE)
    }
    of_lobbies = {family.name: family for family in LobbyCounts().registry.collect()}
    for name in [name for name in listed if name.startswith("pennant_lobby_")]:
        family = of_lobbies.pop(name.removesuffix("_total"))
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert listed.pop(name) == labels
    assert [name for name in of_lobbies if name.startswith("pennant_")] == []
    of_registries = ("pennant_registry_", "pennant_webhooks_", "pennant_notifications_")
    of_operator = {n: labels for n, labels in exposed().items() if not n.startswith(of_registries)}
    assert listed == of_operator | {family.name: {*family.labels} for family in SHARES}


def rules() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    (content,) = yaml.safe_load_all((MONITORING / "rules.yaml").read_text())
    every = [rule for group in content["spec"]["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in every}


def test_the_alerts_ask_for_metrics_that_exist_and_for_labels_that_these_have():
    known = exposed() | {f"{family.name}_count": {*family.labels} for family in FAMILIES}
    for rule in rules().values():
        for name, labels in asked_for(rule["expr"]).items():
            assert labels <= known[name], rule


def test_what_an_alert_says_is_made_of_labels_that_it_keeps():
    for rule in rules().values():
        kept = grouped_by(rule["expr"])
        shown = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert set(shown) <= kept, rule


def test_what_an_alert_counts_stands_at_nothing_before_it_happens_for_the_first_time():
    """Prometheus sees no increase from none to 1. Each poll asks a registry again."""
    metrics = operator_metrics()
    metrics.registries.answered("ours", NOW)
    metrics.registries.notified("ours", "slack", "failed")
    begun = {
        (sample.name, label, value)
        for family in metrics.registry.collect()
        for sample in family.samples
        for label, value in sample.labels.items()
        if sample.value == 0
    }
    counted = {each for rule in rules().values() for each in increases_asked_for(rule["expr"])}
    assert {
        each for each in counted - begun if each[0] != "pennant_registry_requests_total"
    } == set()


def test_every_alert_is_on_the_page_and_has_a_runbook_that_begins_with_a_command():
    rows = re.findall(r"^\| (\w+): .*? \| (.*) \|$", PAGE, re.MULTILINE)
    listed = {name: severity for severity, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert listed == {name: rule["labels"]["severity"] for name, rule in rules().items()}
    sections = re.findall(r"^## (\w+)\n\n```sh\nkubectl ", RUNBOOKS, re.MULTILINE)
    assert sections == re.findall(r"^## (\w+)", RUNBOOKS, re.MULTILINE)
    assert sorted(sections) == sorted(rules())
    for name, rule in rules().items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"


def test_every_replica_and_every_model_pod_is_scraped():
    operator, models = yaml.safe_load_all((MONITORING / "monitors.yaml").read_text())
    replica = yaml.safe_load((REPOSITORY / "manifests/base/deployment.yaml").read_text())
    pods = deployment_of(parse_spec(model_deployment()), version(7), "abc", IMAGES)
    for monitor, deployment in ((operator, replica), (models, pods)):
        template, (endpoint,) = (
            deployment["spec"]["template"],
            monitor["spec"]["podMetricsEndpoints"],
        )
        selector, labels = monitor["spec"]["selector"], template["metadata"]["labels"]
        assert selector["matchLabels"].items() <= labels.items()
        assert {each["key"] for each in selector.get("matchExpressions", ())} <= labels.keys()
        ports = [port["name"] for port in template["spec"]["containers"][0]["ports"]]
        assert endpoint["port"] in ports
    # Else `namespace` of a metric would be that of the pod which tells it.
    assert operator["spec"]["podMetricsEndpoints"][0]["honorLabels"] is True


def test_the_results_of_rollouts_are_those_of_the_page():
    (row,) = re.findall(r"^\| `pennant_rollouts_total.*?` \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(_RESULTS.values())


def test_the_page_has_every_metric_of_the_server_with_its_labels():
    rows = re.findall(r"^\| (`pennant_serving_.*?) \|(.*)\|$", SERVING, re.MULTILINE)
    labels = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    assert labels.keys() == {family.name for family in Telemetry("news", "7").collect()}
    for family in FAMILIES:
        assert [each for each in family.labels[2:] if f"`{each}`" not in labels[family.name]] == []
