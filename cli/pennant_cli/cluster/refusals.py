"""What a refusal of the API server means to whoever typed a command, and what to do next."""

from __future__ import annotations

import json
import re
from typing import Any

from pennant_cli.exit_codes import CommandError
from pennant_operator.decide.vocabulary import GROUP

NOT_FOUND, FORBIDDEN, UNAUTHORIZED = 404, 403, 401
_RIGHT = re.compile(r'User "(?P<user>[^"]*)" cannot (?P<right>.*)', re.DOTALL)


class KubernetesError(CommandError):
    """The API server refuses, or does not answer; status 0 is no answer at all."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def refused(status: int, body: str, path: str) -> KubernetesError:
    """Its answer in words that name the next step."""
    message = _message_of(body)
    if status == FORBIDDEN and (denied := _RIGHT.search(message)):
        return KubernetesError(
            status,
            f"{denied['user']} may not {denied['right'].rstrip('. ')}: whoever administers the "
            "namespace can grant it (docs: Who may do what)",
        )
    if status == UNAUTHORIZED:
        return KubernetesError(
            status,
            "the API server does not know these credentials: log in again, or choose another "
            "--context",
        )
    if status == NOT_FOUND and f"/apis/{GROUP}/" in path and not body.startswith("{"):
        return KubernetesError(
            status,
            f"the cluster has no kinds of {GROUP}: Pennant is not installed there, or this is "
            "another cluster (--context)",
        )
    return KubernetesError(status, message or f"the API server answers {status}")


def _message_of(body: str) -> str:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return body.strip()[:500]
    return str(answer.get("message", "")) if isinstance(answer, dict) else body.strip()[:500]


def no_such(name: str, namespace: str, there: list[str]) -> CommandError:
    """No ModelDeployment of that name."""
    known = ", ".join(sorted(there)[:10]) or "none"
    return CommandError(
        f"no ModelDeployment {name} in namespace {namespace}, which has {known}: see -n, and "
        "kubectl pennant status -A"
    )
