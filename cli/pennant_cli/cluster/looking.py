"""Events, logs, and a request to what serves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pennant_cli.cluster.api import Api, Object
from pennant_cli.cluster.refusals import KubernetesError
from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.vocabulary import (
    FETCH,
    LABEL_DEPLOYMENT,
    LABEL_SLOT,
    PORT_NAME,
    SERVE,
    SLOTS,
)
from pennant_operator.kinds import KINDS

INVOCATIONS = "/invocations"


def events_of(api: Api, name: str) -> list[dict[str, str]]:
    """Of the ModelDeployment and of what is its own, newest last."""
    own = {name, f"{name}-registry", f"{name}-digests"}
    starts = tuple(f"{name}-{slot}" for slot in SLOTS)
    events = [
        _event(each)
        for each in api.list("Event")
        if each["involvedObject"].get("name", "") in own
        or each["involvedObject"].get("name", "").startswith(starts)
    ]
    return sorted(events, key=lambda each: each["time"])


def _event(event: Object) -> dict[str, str]:
    about, series = event["involvedObject"], event.get("series") or {}
    made = event["metadata"].get("creationTimestamp", "")
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return {
        "time": next((each for each in times if each), made),
        "type": event.get("type", ""),
        "reason": event.get("reason", ""),
        "object": f"{about.get('kind', '')}/{about.get('name', '')}",
        "message": event.get("message", ""),
    }


def logs_of(api: Api, name: str, slot: str, container: str, lines: int) -> list[dict[str, str]]:
    """The last lines of each pod of a slot."""
    pods = api.list("Pod", f"{LABEL_DEPLOYMENT}={name},{LABEL_SLOT}={slot}")
    if not slot or not pods:
        raise CommandError(f"{name} has no pod now: kubectl pennant why {name} says why")
    return [log_of(api, pod, container, lines) for pod in pods]


def log_of(api: Api, pod: Object, container: str, lines: int) -> dict[str, str]:
    """Of one pod; of the container that is at work, or failed, where none is named."""
    name = pod["metadata"]["name"]
    container, ended = container or at_work(pod), False
    statuses = pod.get("status", {})
    for each in (
        *statuses.get("initContainerStatuses", ()),
        *statuses.get("containerStatuses", ()),
    ):
        if each["name"] == container:
            ended = "waiting" in each.get("state", {}) and each.get("restartCount", 0) > 0
    query = {"container": container, "tailLines": str(lines)} | (
        {"previous": "true"} if ended else {}
    )
    path = KINDS["Pod"].path(api.namespace, name, "log")
    try:
        text = api.text("GET", path, query)
    except KubernetesError as error:
        text = f"({error})"
    return {"pod": name, "container": container, "log": text.rstrip("\n")}


def at_work(pod: Object) -> str:
    """`fetch` until it is done, then `serve`."""
    statuses = pod.get("status", {}).get("initContainerStatuses", ())
    fetch = next((each for each in statuses if each["name"] == FETCH), None)
    if fetch is None:
        return SERVE
    ended = fetch.get("state", {}).get("terminated") or {}
    return SERVE if ended.get("exitCode") == 0 else FETCH


def invoke(api: Api, name: str, data: str | None) -> dict[str, Any]:
    """The request, the bundle's own example where none is given, and the answer."""
    path = KINDS["Service"].path(api.namespace, f"{name}:{PORT_NAME}", "proxy")
    request = _parsed(data) if data is not None else _example(api, name, path)
    answer = api.text("POST", path + INVOCATIONS, body=request)
    try:
        return {"request": request, "answer": json.loads(answer)}
    except ValueError:
        return {"request": request, "answer": answer}


def read(name: str) -> str:
    """What a file holds, or, with -, standard input. Raises CommandError."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--data {name}: {error}") from error


def _parsed(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise CommandError(f"--data is no JSON: {error}") from error


def _example(api: Api, name: str, path: str) -> Any:
    try:
        paths = api.request("GET", f"{path}/openapi.json").get("paths", {})
    except ValueError:
        paths = {}
    content = paths.get(INVOCATIONS, {}).get("post", {}).get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    if example is None:
        raise CommandError(
            f"the model that {name} serves brings no input example: give a request with "
            "--data FILE (- is standard input), as POST /invocations takes it"
        )
    return example
