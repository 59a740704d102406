"""Where pods keep what they fetched for the pods after them (`spec.serving.storage.cache`)."""

from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.quantities import parse_quantity

DEFAULT_SIZE = "10Gi"
_LEAST_BYTES = 2**20  # of a cache, as in the CRD: whoever writes 10 means 10Gi
_MOST_BYTES = 2**62  # of a cache: no volume has more, and `fetch` takes no more


@dataclass(frozen=True)
class Cache:
    """A claim of the ModelDeployment's namespace, and how many bytes may lie there."""

    claim: str
    size: int


def parse_cache(storage: dict[str, Any]) -> Cache | None:
    """Of `spec.serving.storage`; None without one. Raises ValueError, which names the field."""
    fields = storage.get("cache")
    if fields is None:
        return None
    if not fields.get("claimName"):
        raise ValueError("cache.claimName is missing: write the name of a PersistentVolumeClaim")
    written = fields.get("maxSize", DEFAULT_SIZE)
    size = parse_quantity(written)
    if size is None or size < _LEAST_BYTES:
        raise ValueError(
            f"cache.maxSize: {written!r} is no quantity of at least 1Mi: write for example 10Gi"
        )
    return Cache(fields["claimName"], min(int(size), _MOST_BYTES))
