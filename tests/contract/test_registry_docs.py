"""docs/registries.md says what is counted, and what becomes of a webhook."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pennant_operator.observe.webhook.webhook import Outcome
from pennant_operator.run.http import listening, receiver
from pennant_operator.run.http.receiver import ANSWERS, Turned
from pennant_operator.run.metrics.registries import RegistryMetrics

pytestmark = pytest.mark.contract

TEXT = (Path(__file__).parents[2] / "docs" / "registries.md").read_text()


def test_every_metric_of_a_registry_is_explained():
    registry = CollectorRegistry()
    RegistryMetrics(registry)
    kinds = {"counter": "_total"}
    named = {f"{each.name}{kinds.get(each.type, '')}" for each in registry.collect()}
    assert named == set(re.findall(r"^\| `(pennant_\w+)\{", TEXT, re.MULTILINE))


@pytest.mark.parametrize("outcome", [*Outcome, *Turned])
def test_every_result_of_a_webhook_is_explained_and_answered(outcome: Outcome | Turned):
    assert f"`{outcome}`" in TEXT
    assert outcome in ANSWERS or outcome is Turned.FORWARDED  # the leader's answer


def test_the_limits_of_the_port_are_told():
    head, body = f"{listening.HEAD_SECONDS:.0f} seconds", f"its body {receiver.BODY_SECONDS:.0f};"
    assert f"has {head} to arrive and {body} of {listening.CONNECTIONS_LIMIT} connections" in TEXT
    rate, burst = receiver.HOOKS_PER_SECOND_LIMIT, receiver.HOOKS_BURST_LIMIT
    assert f"takes {rate:.0f} hooks a second ({burst} at once)" in TEXT
