"""Settings of the cache, as the operator renders them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pennant_serving.environ import Environ

SIZE_BYTES = 10 << 30
LARGEST_BYTES = 1 << 62
WAIT_SECONDS = 300.0
USES = ("link", "copy")


@dataclass(frozen=True)
class CacheSettings:
    """One cache, and one rollout that uses it."""

    path: Path
    size: int = SIZE_BYTES
    """Bytes that it may hold."""
    use: str = "link"
    """Whether a pod follows links into it, or gets copies."""
    rollout: str = ""
    """The name of what the first pod of this rollout ended with; empty where nobody knows whose
    rollout it is, and then nothing is remembered."""
    wait: float = WAIT_SECONDS
    """Seconds to wait for another pod that makes what this one needs."""

    @classmethod
    def from_env(cls, env: Environ, *identity: str) -> CacheSettings:
        """Of a pod of what is identified. Raises SettingsError, naming the variable."""
        owner = env.optional("PENNANT_CACHE_ROLLOUT")
        facts = (*identity, env.optional("PENNANT_REVISION") or "", owner)
        return cls(
            path=Path(env.text("PENNANT_CACHE_PATH")),
            size=env.integer("PENNANT_CACHE_SIZE", SIZE_BYTES, low=1, high=LARGEST_BYTES),
            use=env.choice("PENNANT_CACHE_USE", "link", USES),
            rollout=hashlib.sha256(json.dumps(facts).encode()).hexdigest() if owner else "",
        )
