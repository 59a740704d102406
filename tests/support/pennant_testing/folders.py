"""Where this package and what it reads stand."""

from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1]  # for PYTHONPATH
REPOSITORY = SUPPORT.parents[1]
