"""`pennant lock`: resolve what a version's bundle asks for, and write it as the version's tag."""

from __future__ import annotations

from pennant_cli.version_names import VersionName
from pennant_registry import locking
from pennant_registry.names import TAG_ENVIRONMENT


def lock(of: VersionName, index_urls: list[str]) -> str:
    """What was done, as a sentence. Raises RegistryError."""
    made = locking.lock(of.model, of.version, index_url=index_urls or None)
    return f"{of}: {TAG_ENVIRONMENT} {made.digest} (Python {made.python})"
