"""What the ScaledObject among the samples asks of Prometheus, and what it makes of the answer."""

from __future__ import annotations

import pytest
import yaml

from pennant_testing.folders import REPOSITORY
from pennant_testing.memory.counted_metrics import counted_pod, exposed
from pennant_testing.truth.prometheus import Question, answers, scraped

pytestmark = pytest.mark.contract

SPEC = yaml.safe_load((REPOSITORY / "manifests" / "samples" / "keda.yaml").read_text())["spec"]
(TRIGGER,) = SPEC["triggers"]
QUERY = TRIGGER["metadata"]["query"]
SLOTS = {"blue": "7", "green": "8"}


def series(*, asked: bool) -> list[str]:
    """Of a pod in each slot, as in a bake; by the PodMonitor Prometheus knows whose they are."""
    found = []
    for slot, version in SLOTS.items():
        target = {"namespace": "default", "pennant_dev_deployment": "my-model"}
        found += scraped(exposed(counted_pod("my-model", version)), pod=slot, **target)
    return found if asked else [each for each in found if "queue_seconds" not in each]


@pytest.mark.parametrize(
    ("found", "values"),
    [(series(asked=True), [2 / 60]), (series(asked=False), [0]), ([], [])],
    ids=["asked", "not asked", "nobody answers"],
)
def test_it_counts_what_all_versions_are_asked_and_takes_silence_for_no_number(
    found: list[str], values: list[float]
):
    (answer,) = answers({"groups": []}, [Question(found, exprs=[QUERY])])
    assert [value for _, value in answer.values[QUERY]] == pytest.approx(values)
