"""Processes of ours whose environment is made from nothing, and coverage, which is told by one."""

from __future__ import annotations

import os

PREFIX = "COVERAGE_"


def coverage_variables() -> dict[str, str]:
    """What has coverage measure a process too, where it measures the tests."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
