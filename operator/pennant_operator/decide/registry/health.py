"""A ModelRegistry's status, from how its server and its webhook are found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.registry.brake import BRAKED, BrakeState, brake_condition
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.times import format_time


@dataclass(frozen=True)
class WebhookHealth:
    """Whether webhooks can be taken, and what MLflow was told of them."""

    trouble: str | None = None
    registered: str = ""  # MLflow's id of the webhook that was registered for it
    url: str = ""  # that MLflow sends to


@dataclass(frozen=True)
class WriteBackHealth:
    """Whether version tags say what is so."""

    trouble: str | None = None
    clusters: tuple[str, ...] = ()  # names of this cluster that tags may be there of


@dataclass(frozen=True)
class Health:
    """How a registry answers, as its poller found it."""

    server_version: str = ""
    models: int = 0
    trouble: str | None = None  # None: the last poll was answered in full
    invalid: bool = False  # the trouble is the spec's own
    webhook: WebhookHealth | None = None  # None: none is asked for
    write_back: WriteBackHealth | None = None  # None: nothing is written, nor was before
    brake: BrakeState | None = None  # None: it is as it was


def registry_status(registry: Object, health: Health, now: datetime) -> dict[str, Any]:
    """The status to show; equal to the live one when nothing changed."""
    live = registry.get("status", {})
    before = {condition["type"]: condition for condition in live.get("conditions", ())}
    generation = registry["metadata"]["generation"]
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "modelsWatched": health.models,
        "conditions": [
            _stamped_state(state, before.get(state["type"], {}), generation, now)
            for state in (
                _registry_ready_state(health),
                _webhook_state(health.webhook),
                _write_back_state(health.write_back),
                _brake_state(registry, health.brake),
            )
            if state is not None
        ],
    }
    if health.webhook is not None and health.webhook.registered:
        status["webhook"] = {"id": health.webhook.registered, "url": health.webhook.url}
    if health.write_back is not None and health.write_back.clusters:
        status["writeBack"] = {"clusters": list(health.write_back.clusters)}
    # What the server last called itself stays readable while it is away.
    version = health.server_version or live.get("serverVersion")
    return status | ({"serverVersion": version} if version else {})


def webhook_health(registry: Object) -> WebhookHealth:
    """How its webhook was when its status was written."""
    status = registry.get("status", {})
    webhook = status.get("webhook", {})
    troubles = (
        condition["message"]
        for condition in status.get("conditions", ())
        if condition["type"] == "Webhook" and condition["status"] == "False"
    )
    return WebhookHealth(next(troubles, None), webhook.get("id", ""), webhook.get("url", ""))


def recorded_clusters(registry: Object) -> tuple[str, ...]:
    """What this cluster was called by now in the keys of version tags."""
    return tuple((registry.get("status", {}).get("writeBack") or {}).get("clusters") or ())


def _registry_ready_state(health: Health) -> dict[str, str]:
    trouble = "InvalidSpec" if health.invalid else "NotAnswering"
    return _condition_state("Ready", "Answering", trouble, health.trouble, "The registry answers.")


def _webhook_state(webhook: WebhookHealth | None) -> dict[str, str] | None:
    if webhook is None:
        return None
    message = "Webhooks that are signed with the Secret are taken."
    if webhook.registered:
        message = "MLflow was told to send its webhooks, and those it signs are taken."
    return _condition_state("Webhook", "Taken", "NotTaken", webhook.trouble, message)


def _write_back_state(health: WriteBackHealth | None) -> dict[str, str] | None:
    if health is None:
        return None
    message = "Version tags say what becomes of the versions here."
    return _condition_state("WriteBack", "Written", "NotWritten", health.trouble, message)


def _brake_state(registry: Object, brake: BrakeState | None) -> dict[str, str] | None:
    """As it was while its aliases are not known."""
    if brake is not None:
        return brake_condition(brake, registry["metadata"]["name"])
    conditions = registry.get("status", {}).get("conditions", ())
    live = next((each for each in conditions if each["type"] == BRAKED), None)
    return live and {field: live[field] for field in ("type", "status", "reason", "message")}


def _condition_state(
    kind: str, well: str, ill: str, trouble: str | None, message: str
) -> dict[str, str]:
    if trouble is not None:
        return {"type": kind, "status": "False", "reason": ill, "message": trouble}
    return {"type": kind, "status": "True", "reason": well, "message": message}


def _stamped_state(
    state: dict[str, str], before: dict[str, Any], generation: int, now: datetime
) -> dict[str, Any]:
    """Its time moves only with its status."""
    changed = before.get("status") != state["status"]
    since = format_time(now) if changed else before["lastTransitionTime"]
    return {**state, "observedGeneration": generation, "lastTransitionTime": since}
