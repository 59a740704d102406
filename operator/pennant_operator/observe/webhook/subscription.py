"""Tells MLflow where to send a registry's webhooks: one webhook, however often it is told.

MLflow takes any number of webhooks of one name, so what is there is listed first. Ours is the one
whose id our status remembers; else one of our name that goes to our address. One of our name
alone may be another cluster's.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from pennant_operator.observe.mlflow.answers import listed, next_page, understood
from pennant_operator.observe.mlflow.http import MlflowHttp, Refusal
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError

EVENTS = (
    {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
    {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"},
    {"entity": "MODEL_VERSION", "action": "CREATED"},
    {"entity": "MODEL_VERSION_TAG", "action": "SET"},
    {"entity": "MODEL_VERSION_TAG", "action": "DELETED"},
)

WEBHOOK_PAGES_LIMIT = 100  # pages of MLflow's webhooks, of a hundred each

NEEDS = (
    "It takes MLflow 3.3 or newer with a database, MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY, and for "
    "an address in the cluster MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS and "
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES: docs/registries.md."
)


@dataclass(frozen=True)
class Wanted:
    """The webhook that MLflow should have."""

    owner: str  # namespace and name of the ModelRegistry
    url: str
    secret: str

    @property
    def name(self) -> str:
        """MLflow's names are short and know few characters."""
        return f"pennant-{hashlib.sha256(self.owner.encode()).hexdigest()[:16]}"

    def body(self) -> dict[str, Any]:
        """As MLflow takes it."""
        return {
            "name": self.name,
            "description": f"Tells Pennant's ModelRegistry {self.owner} of aliases and tags.",
            "url": self.url,
            "events": EVENTS,
            "secret": self.secret,
            "status": "ACTIVE",
        }


async def subscribe(http: MlflowHttp, wanted: Wanted, known: str) -> str:
    """Make or correct the webhook; its id. `known` is the one it had, if any.

    The secret is sent each time, for MLflow does not say which one it has. Raises
    RegistryTroubleError.
    """
    ours = [str(hook["webhook_id"]) for hook in await _hooks(http) if _is_ours(hook, wanted, known)]
    for superfluous in ours[1:]:
        await unsubscribe(http, superfluous)
    method, path = ("PATCH", f"webhooks/{ours[0]}") if ours else ("POST", "webhooks")
    answer = await http.send(method, path, wanted.body())
    if isinstance(answer, Refusal):
        raise _refused(answer)
    with understood():
        return str(answer["webhook"]["webhook_id"])


async def unsubscribe(http: MlflowHttp, known: str) -> None:
    """Delete a webhook, if it is there; raises RegistryTroubleError."""
    answer = await http.send("DELETE", f"webhooks/{known}", {})
    if isinstance(answer, Refusal) and answer.status != 404:
        raise _refused(answer)


def _is_ours(hook: dict[str, Any], wanted: Wanted, known: str) -> bool:
    """One that has no id is nobody's to change."""
    hook_id, goes_to = hook.get("webhook_id"), (hook.get("name"), hook.get("url"))
    return bool(hook_id) and (hook_id == known or goes_to == (wanted.name, wanted.url))


async def _hooks(http: MlflowHttp) -> list[dict[str, Any]]:
    """All that MLflow has, however it lists them."""
    hooks, tokens, token = list[dict[str, Any]](), set[str](), ""
    while token not in tokens and len(tokens) < WEBHOOK_PAGES_LIMIT:
        answer = await http.get("webhooks", {"page_token": token} if token else {})
        if isinstance(answer, Refusal):
            raise _refused(answer)
        hooks += [hook for hook in listed(answer, "webhooks") if isinstance(hook, dict)]
        tokens.add(token)
        token = next_page(answer)
    return hooks


def _refused(refusal: Refusal) -> RegistryTroubleError:
    return RegistryTroubleError(f"{refusal.status} {refusal.code}: {refusal.message[:200]}")
