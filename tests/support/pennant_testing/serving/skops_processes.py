"""Processes that load skops files: by us, who import little, or by skops itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from pennant_testing.folders import SUPPORT

# In processes of their own: this one has imported all of skops already.
LEAN = """
from pennant_serving.adapters.estimators import import_sklearn
from pennant_serving.adapters.skops_file import load
import_sklearn()
"""


ITSELF = """
import skops.io
load = lambda path, trusted: skops.io.load(path, trusted=list(trusted))
"""


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A process of its own that runs this code with these arguments."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(SUPPORT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)


def answer_of(code: str, *arguments: object) -> Any:
    """What it prints, as JSON."""
    done = run_python(code, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
