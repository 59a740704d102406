"""Scripts that run in pods of the cluster, where nothing of this package is: each stands alone."""

from pathlib import Path


def source(name: str) -> str:
    """The text of one of them, by its name without `.py`."""
    return Path(__file__).with_name(f"{name}.py").read_text()
