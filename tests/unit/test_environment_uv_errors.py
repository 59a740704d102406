"""Whose fault it is that uv gave up, and its explanation in two sentences, by real outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pennant_serving.environment.requirement_lines import RequirementLine
from pennant_serving.environment.uv_errors import (
    SENTENCE_CHARACTERS,
    explanation,
    fault,
    lines_about,
    reason,
)
from pennant_serving.failures import Reason

pytestmark = pytest.mark.unit

SAMPLES = yaml.safe_load((Path(__file__).parents[1] / "golden" / "uv-errors.yaml").read_text())
ASKED = [
    RequirementLine("Alpha==9", "alpha", "alpha==9"),
    RequirementLine("beta", "beta", "beta"),
    RequirementLine("plat", "plat", "plat"),
    RequirementLine("code/local-1-py3-none-any.whl", "", "code/local-1-py3-none-any.whl"),
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_uv_writes_is_explained(sample):
    stderr = sample["stderr"]
    assert reason(stderr) == sample["reason"]
    assert explanation(stderr) == sample["explanation"]
    assert lines_about(stderr, ASKED) == sample["lines"]


def test_whatever_is_not_the_models_fault_comes_with_what_to_do():
    for sample in SAMPLES:
        error = fault(sample["stderr"])
        assert sample["explanation"] in error.message
        assert "environments." in error.message
        assert error.reason in (sample["reason"], Reason.DOWNLOAD_FAILED)
    full = fault("error: No space left on device (os error 28)")
    assert full.reason is Reason.CONFIGURATION_ERROR
    assert "raise serving.storage.size" in full.message


@pytest.mark.parametrize(
    "text",
    [
        "error: Failed to extract\n  cause: failed to write: No space left on device (os error 28)",
        "error: Disk quota exceeded (os error 122)",
    ],
)
def test_a_full_volume_is_nobodys_but_the_volumes(text):
    assert reason(text) is Reason.CONFIGURATION_ERROR
    assert "os error" in explanation(text)


def test_a_long_derivation_is_its_first_step_and_its_last():
    steps = [f"And because p{n} depends on p{n + 1}, we can conclude that x.\n" for n in range(40)]
    text = "error: No solution found\n  cause: Because a depends on b.\n" + "".join(steps)
    assert explanation(text) == (
        "Because a depends on b. And because p39 depends on p40, we can conclude that x"
    )


def test_a_sentence_is_cut_where_it_has_no_end():
    text = "error: No solution found\n  cause: Because " + "a, " * 1000
    assert len(explanation(text)) <= SENTENCE_CHARACTERS + 3
