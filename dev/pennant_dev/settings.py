"""Where the local cluster keeps its state and its caches, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """Folders and choices of one developer's cluster."""

    state: Path
    """Everything a running cluster writes; `down` empties most of it."""
    cache: Path
    """Binaries and image archives, keyed by content; survives `down`."""
    provider: str | None
    """`kind`, `local`, `context`, or None for the first of the first two that works here."""
    kubeconfig: str = "~/.kube/config"
    """The user's own; only the provider `context` looks at it."""

    @property
    def bin(self) -> Path:
        """Folder with `kubectl` and the other cached commands."""
        return self.cache / "bin"

    @property
    def images(self) -> Path:
        """Folder with built images (OCI layouts that share their blobs)."""
        return self.cache / "images"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """From PENNANT_STATE, PENNANT_CLUSTER, XDG_CACHE_HOME, KUBECONFIG; empty means unset."""
        env = os.environ if environ is None else environ  # noqa: TID251 - the one reading place
        caches = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(
            state=Path(env.get("PENNANT_STATE") or "/var/lib/pennant-dev"),
            cache=caches / "pennant",
            provider=env.get("PENNANT_CLUSTER") or None,
            kubeconfig=env.get("KUBECONFIG") or cls.kubeconfig,
        )
