"""Settings of fetch for a version whose source lies somewhere, with what a test is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pennant_serving.fetch.settings import FetchSettings, Wanted


def fetch_settings(source: str, folder: Path = Path("/models"), **changes: Any) -> FetchSettings:
    """Of version 1 of `cars`, into `bundle` in that folder."""
    base = FetchSettings(Wanted("cars", "1", source), folder / "bundle", "http://mlflow:5000")
    return replace(base, **changes)
