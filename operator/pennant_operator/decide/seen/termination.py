"""How a container ended: by its own termination message, else by what the kubelet says of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import SERVE

OOM_KILLED = "OOMKilled"
BACK_OFF = "CrashLoopBackOff"
# Not the kubelet's words. The node went down under a running container:
NODE_ENDED = "NodeEnded"
# A signal that no memory limit explains, such as a probe's:
KILLED = "Killed"
_BY_SIGNAL = {137, 143}  # SIGKILL, SIGTERM


@dataclass(frozen=True)
class Failure:
    """How a container last failed: its own termination message, or what the kubelet says."""

    container: str
    reason: str  # ours (LoadFailed ...), NODE_ENDED, or the kubelet's (OOMKilled, Error ...)
    message: str
    exit_code: int | None  # None: it never ran
    at: datetime | None = None


def failure_of(container: dict[str, Any], limits: dict[str, Any]) -> Failure | None:
    """Of a container's status; `limits` are those of memory by container. None: it did not fail."""
    state = container.get("state", {})
    for terminated in (state.get("terminated"), container.get("lastState", {}).get("terminated")):
        if terminated and terminated.get("exitCode", 0) != 0:
            words, name = _message_texts(terminated), container["name"]
            return Failure(
                container=name,
                reason=words.get("reason") or _default_reason(terminated),
                message=words.get("message")
                or _default_message(name, terminated, limits.get(name)),
                exit_code=int(terminated["exitCode"]),
                at=parse_time(terminated["finishedAt"]) if terminated.get("finishedAt") else None,
            )
    waiting = state.get("waiting") or {}
    if waiting.get("reason") in {None, "PodInitializing", "ContainerCreating", BACK_OFF}:
        return None
    words = waiting.get("message") or waiting["reason"]
    return Failure(container["name"], waiting["reason"], words, None)


def failed_attempts(container: dict[str, Any]) -> int:
    """Failed terminations: every restart follows one, and the current attempt may be over too."""
    state = container.get("state", {})
    over = (state.get("terminated") or {}).get("exitCode", 0) != 0
    backing_off = (state.get("waiting") or {}).get("reason") == BACK_OFF
    return int(container.get("restartCount", 0)) + (1 if over or backing_off else 0)


def _default_reason(terminated: dict[str, Any]) -> str:
    """The kubelet finds nothing left of a container after its node went down."""
    reason, code = terminated.get("reason") or "Error", terminated["exitCode"]
    if reason == "ContainerStatusUnknown" or (reason == "Unknown" and code == 255):
        return NODE_ENDED
    return KILLED if reason == "Error" and code in _BY_SIGNAL else reason


def _default_message(name: str, terminated: dict[str, Any], limit: Any) -> str:
    if terminated.get("reason") == OOM_KILLED and name == SERVE:
        field = "spec.serving.resources.limits.memory"
        if limit:
            return f"out of memory (OOMKilled) at its limit of {limit}: raise {field}"
        return f"out of memory (OOMKilled), the node's own: set {field}, and requests.memory too"
    if _default_reason(terminated) == NODE_ENDED:
        return "the node restarted under it"
    if _default_reason(terminated) == KILLED:
        return f"ended from outside, by a probe or on its node (exit code {terminated['exitCode']})"
    text = str(terminated.get("message") or "").strip()
    why = f"{terminated.get('reason') or 'ended'}, exit code {terminated['exitCode']}"
    return f"{why}: {text}" if text else f"{why}, without a message"


def _message_texts(terminated: dict[str, Any]) -> dict[str, str]:
    """A bundle is code, so what it leaves as its message may be anything: only text is taken."""
    return {
        name: value.encode(errors="replace").decode()  # half a surrogate pair is no text
        for name, value in termination_message(terminated).items()
        if isinstance(value, str)
    }


def termination_message(terminated: dict[str, Any]) -> dict[str, Any]:
    """The termination message when it is a JSON object; anything else says nothing to us."""
    try:
        message = json.loads(terminated.get("message") or "null")
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
