"""Every kind of gate is read as it is written, asked of a version, and on the page."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pennant_registry.gates import Gates, MetricGate, VersionFacts, evaluate, parse

pytestmark = pytest.mark.contract

REGISTRIES = (Path(__file__).parents[2] / "docs" / "registries.md").read_text()
SECTION = REGISTRIES.partition("### Gates\n")[2].partition("\n## ")[0]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
# Field of Gates, or of MetricGate, to how it is written.
WRITTEN: dict[str, dict[str, Any]] = {
    "min": {"metrics": [{"name": "auc", "min": "0.9"}]},
    "max": {"metrics": [{"name": "auc", "max": "0.9"}]},
    "max_drop": {"metrics": [{"name": "auc", "maxDrop": "1%"}]},
    "max_rise": {"metrics": [{"name": "auc", "maxRise": "1%"}]},
    "tags": {"tags": [{"key": "approved"}]},
    "flavors": {"flavors": ["sklearn"]},
    "compatible": {"signature": "Compatible"},
    "closed": {"closed": [{"cron": "0 12 * * *", "for": "1h"}]},
}


def test_there_is_a_way_to_write_every_kind():
    kinds = {each.name for kind in (Gates, MetricGate) for each in fields(kind)}
    assert kinds - {"metrics", "name"} == WRITTEN.keys()


@pytest.mark.parametrize("spec", WRITTEN.values(), ids=WRITTEN)
def test_every_kind_is_read_asked_and_on_the_page(spec: dict[str, Any]):
    gates = parse(spec)
    assert gates != Gates()
    assert len(evaluate(gates, VersionFacts("8"), VersionFacts("7"), NOON)) == 1
    ((name, value),) = spec.items()
    words = value[0] if name == "metrics" else spec
    assert [word for word in words if not re.search(rf"\b{word}\b", SECTION)] == []
