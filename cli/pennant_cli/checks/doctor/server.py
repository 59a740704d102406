"""Whether there is an MLflow at the address, which one, and how its webhooks are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pennant_cli.checks.doctor.asking import Answer, Server
from pennant_cli.checks.findings import Finding, Verdict

VERSION = re.compile(r"(\d+)\.(\d+)\S*")
FIRST_WITH_ALIASES, LAST_TESTED = (2, 3), (3, 17)
ALIAS_EVENTS = {("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED")}


def reached(server: Server) -> Finding:
    """Whether it answers as MLflow."""
    if not server.is_asked_by_http:
        message = "the registry is read from its database, by no server"
        remedy = "the operator needs a server before it: spec.url of the ModelRegistry"
        return Finding("server", Verdict.WARNING, message, remedy)
    answer = server.get("/version")
    match = VERSION.fullmatch(answer.text.strip()) if answer.status == 200 else None
    if match is None:
        return Finding("server", Verdict.PROBLEM, *_trouble(answer, server))
    number = (int(match[1]), int(match[2]))
    message = f"MLflow {match[0]} answers at {server.shown}"
    if number < FIRST_WITH_ALIASES:
        remedy = "upgrade it, or follow stages: --stage, spec.model.stage"
        return Finding("server", Verdict.WARNING, f"{message}, which has no aliases", remedy)
    if number > LAST_TESTED:
        message += ", newer than what Pennant is tested with"
        return Finding("server", Verdict.WARNING, message)
    return Finding("server", Verdict.OK, message)


def _trouble(answer: Answer, server: Server) -> tuple[str, str]:
    """What is the case, and what to do."""
    host = urlsplit(server.address).netloc.rpartition("@")[2]
    if answer.status == 0:
        return f"no answer: {answer.text}", "check MLFLOW_TRACKING_URI, and whether it runs"
    if answer.status == 401 and server.has_account:
        what = "it refuses the account or token that is named here (401)"
        return what, "correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or _TOKEN"
    if answer.status == 401:
        what = "it asks for an account (401), and none is named here"
        return what, "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or _TOKEN"
    if answer.status == 403 and "Host header" in answer.text:
        what = "MLflow does not know the name that it is called by (403, Invalid Host header)"
        return what, f"have {host} added to its --allowed-hosts (MLFLOW_SERVER_ALLOWED_HOSTS)"
    if answer.status >= 500:
        return f"it is in trouble ({answer.status})", "see its log, or that of what is before it"
    what = f"what answers there is not MLflow ({answer.status})"
    return what, "correct MLFLOW_TRACKING_URI: is a path missing, or is it the page of a login?"


def webhooks(server: Server) -> Iterator[Finding]:
    """How alias moves are heard of, beside the polls."""
    answer = server.get("/api/2.0/mlflow/webhooks")
    if answer.status == 404:
        message = "this MLflow has none (3.3 or newer has): the operator polls"
        yield Finding("webhooks", Verdict.OK, message)
    elif answer.status == 403:
        message = "this account may not see them; only spec.webhook.register needs that"
        remedy = "have its administrator make it one, where the operator is to register its webhook"
        yield Finding("webhooks", Verdict.UNKNOWN, message, remedy)
    elif answer.status != 200:
        message = f"MLflow cannot list them ({answer.status})"
        remedy = (
            "give it back the MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY that they were stored with, or "
            "delete their rows from its database"
        )
        yield Finding("webhooks", Verdict.PROBLEM, message, remedy)
    elif hooks := answer.content.get("webhooks"):
        yield from map(_webhook, hooks)
    else:
        message = "there is none: alias moves are found by polls"
        remedy = "to have them found at once, see docs/registries.md, Webhooks"
        yield Finding("webhooks", Verdict.OK, message, remedy)


def _webhook(hook: dict[str, Any]) -> Finding:
    what = f"webhook {hook.get('name')}"
    events = {(each.get("entity"), each.get("action")) for each in hook.get("events", ())}
    if hook.get("status", "ACTIVE") != "ACTIVE":
        remedy = "set its status to ACTIVE, or delete it"
        return Finding(what, Verdict.WARNING, f"it sends nothing to {hook.get('url')}", remedy)
    if not events >= ALIAS_EVENTS:
        message = f"it does not send all moves of aliases to {hook.get('url')}"
        remedy = "add model_version_alias.created and model_version_alias.deleted to its events"
        return Finding(what, Verdict.WARNING, message, remedy)
    return Finding(what, Verdict.OK, f"it sends moves of aliases to {hook.get('url')}")
