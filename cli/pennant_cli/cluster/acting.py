"""RolloutActions: what a person says, in the person's name, and what comes of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pennant_cli.cluster.api import Api, Object
from pennant_cli.cluster.refusals import KubernetesError
from pennant_cli.exit_codes import CommandError, ExitCode
from pennant_operator.decide.seen.actions import KIND, Act, State
from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import API_VERSION

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
LOOK_SECONDS = 0.5


def who_am_i(api: Api) -> str | None:
    """As the API server knows this user; the actor policy compares it. None: it does not tell."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = api.request("POST", REVIEW, body=body)
    except KubernetesError:
        return None
    return answer.get("status", {}).get("userInfo", {}).get("username") or None


def act(api: Api, action: Act, about: dict[str, str], wait: timedelta, **spec: Any) -> Object:
    """Create it, and wait for what becomes of it; the RolloutAction as it is then.

    Raises CommandError, REFUSED, where it is refused.
    """
    given = {name: value for name, value in spec.items() if value}
    actor = who_am_i(api)
    made = api.create(
        KIND,
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"generateName": f"{action.lower()}-", "namespace": api.namespace},
            "spec": {"action": str(action), **about, **given} | ({"actor": actor} if actor else {}),
        },
    )
    name, ends = made["metadata"]["name"], time.monotonic() + wait.total_seconds()
    while time.monotonic() < ends:
        made = api.get(KIND, name) or made
        if _is_told(made):
            break
        time.sleep(LOOK_SECONDS)
    status = made.get("status") or {}
    if status.get("state") in {State.REFUSED, State.EXPIRED}:
        message = f"RolloutAction {name} is {status['state']}: {status.get('message')}"
        raise CommandError(message, ExitCode.REFUSED)
    return made


def _is_told(action: Object) -> bool:
    return (action.get("status") or {}).get("state") not in {None, State.PENDING}


def result_of(action: Object) -> str:
    """Its last word, as a sentence."""
    name, status = action["metadata"]["name"], action.get("status") or {}
    if not status:
        return (
            f"RolloutAction {name} is made, and no operator has said anything of it yet: "
            f"kubectl get rolloutaction {name} -n {action['metadata']['namespace']}"
        )
    return f"RolloutAction {name} is {status['state']}: {status.get('message', '')}"


def expires(duration: timedelta | None) -> str | None:
    """`spec.expiresAt` so long from now."""
    return format_time(datetime.now(UTC) + duration) if duration else None
