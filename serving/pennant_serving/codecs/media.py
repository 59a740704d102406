"""Which form a body of /invocations has, by its content-type."""

from __future__ import annotations

from pennant_serving.errors import UnsupportedMediaType

JSON = "application/json"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
"""The media type that MLflow's scoring server takes."""
KNOWN = (JSON, CSV, PARQUET)


def form_of(content_type: str) -> str:
    """One of KNOWN. Raises UnsupportedMediaType as MLflow does, also for another charset."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() not in KNOWN:
        known = ", ".join(KNOWN)
        raise UnsupportedMediaType(f"content-type {kind!r} is not supported: send one of {known}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() != "charset" or value.strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"content-type parameter {parameter!r}: only charset=utf-8")
    return kind.lower()
