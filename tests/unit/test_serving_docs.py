"""docs/serving.md names every reason that the code knows, and with docs/lobby.md every variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pennant_serving
from pennant_serving.failures import Reason

pytestmark = pytest.mark.unit

PAGES = Path(__file__).parents[2] / "docs"
DOCS = (PAGES / "serving.md").read_text()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_documented(reason):
    assert f"`{reason}`" in DOCS


def test_every_variable_is_documented_and_every_documented_one_is_read():
    sources = Path(pennant_serving.__file__).parent.rglob("*.py")
    variable = re.compile(r"\b(?:PENNANT|MLFLOW_TRACKING)_[A-Z0-9_]*[A-Z0-9]\b")
    read = {name for path in sources for name in variable.findall(path.read_text())}
    assert read == set(variable.findall(DOCS + (PAGES / "lobby.md").read_text()))
