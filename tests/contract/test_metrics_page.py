"""docs/metrics.md has every metric of the operator, and its alerts ask for metrics that exist.

Those of the server are on docs/serving.md. Those of registries are on docs/registries.md:
test_registry_docs.py.
"""

import re
from datetime import UTC, datetime

import pytest
import yaml

from pennant_dev.settings import REPOSITORY
from pennant_operator.run.metrics.metrics import _RESULTS, Metrics
from pennant_serving.metrics.telemetry import FAMILIES, Telemetry

pytestmark = pytest.mark.contract

PAGE = (REPOSITORY / "docs" / "metrics.md").read_text()
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
    of_registries = ("pennant_registry_", "pennant_webhooks_")
    assert listed == {
        n: labels for n, labels in exposed().items() if not n.startswith(of_registries)
    }


def test_the_alerts_ask_for_metrics_that_exist():
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    rules = yaml.safe_load(block)["spec"]["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"pennant_\w+", rule["expr"])}
    assert asked <= exposed().keys()
    assert len(rules) == 5


def test_the_results_of_rollouts_are_those_of_the_page():
    (row,) = re.findall(r"^\| `pennant_rollouts_total.*?` \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(_RESULTS.values())


def test_the_page_has_every_metric_of_the_server_with_its_labels():
    rows = re.findall(r"^\| (`pennant_serving_.*?) \|(.*)\|$", SERVING, re.MULTILINE)
    labels = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    assert labels.keys() == {family.name for family in Telemetry("news", "7").collect()}
    for family in FAMILIES:
        assert [each for each in family.labels[2:] if f"`{each}`" not in labels[family.name]] == []
