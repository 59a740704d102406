"""The variables by which a person tunes our server; what is not written is not set.

Absent fields stay absent: the server has the defaults, and a new field changes no existing pod.
"""

from typing import Any

from pennant_operator.decide.manifests.container import env_value
from pennant_registry.durations import parse_duration


def tuning_env(serving: dict[str, Any]) -> list[dict[str, Any]]:
    """The variables for `spec.serving` as written."""
    batching = serving.get("batching", {})
    telemetry = serving.get("telemetry", {})
    traces, payloads = telemetry.get("traces", {}), telemetry.get("payloadLog", {})
    written = {
        "PENNANT_WORKERS": serving.get("workers"),
        "PENNANT_BATCH_MODE": batching.get("mode"),
        "PENNANT_BATCH_MAX_ROWS": batching.get("maxRows"),
        "PENNANT_BATCH_MAX_DELAY": _seconds(batching.get("maxDelay")),
        "PENNANT_ACCESS_LOG": _flag(telemetry.get("accessLog")),
        "PENNANT_TRACES_ENDPOINT": traces.get("endpoint"),
        "PENNANT_TRACES_RATIO": traces.get("ratio"),
        "PENNANT_PAYLOAD_LOG_RATIO": payloads.get("ratio"),
        "PENNANT_PAYLOAD_LOG_REDACT": ",".join(payloads.get("redact", ())) or None,
    }
    return [env_value(name, str(text)) for name, text in written.items() if text is not None]


def _seconds(duration: str | None) -> str | None:
    """Decimal seconds, never as 5e-06."""
    if duration is None:
        return None
    return f"{parse_duration(duration).total_seconds():.6f}".rstrip("0").rstrip(".")


def _flag(switch: bool | None) -> str | None:  # noqa: FBT001 -- a value, not an option
    return None if switch is None else str(switch).lower()
