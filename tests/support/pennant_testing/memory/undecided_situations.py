"""Situations in which nothing can be decided, and what is said then."""

from typing import Any

from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Observed, Unknown
from pennant_operator.decide.status.stalled import stalled_plan, write_refused
from pennant_testing.memory.object_builders import IMAGES, NOW, model_deployment
from pennant_testing.memory.situation_parts import Case
from pennant_testing.memory.status_text import StatusText, status_text

SLOT = {"pennant.dev/slot": "blue", "pennant.dev/deployment": "rec"}
WRONG: dict[str, dict[str, Any]] = {
    "duration": {"rollout": {"bake": "2 minutes"}},
    "pointers": {"model": {"name": "news", "alias": "production", "version": "7"}},
    "no model": {"model": {}},
    "name": {"model": {"name": "a/b", "alias": "production"}},
    "version": {"model": {"name": "news", "version": "9999999999"}},
    "Custom": {"serving": {"mode": "Custom"}},
}


def undecided() -> dict[Case, StatusText]:
    """Where nothing can be decided: the object itself, a name, or the API server is in the way."""
    plans = {}
    for serving, ready in (("-", 0), ("7", 2), ("7, none ready", 0)):
        for wrong, fields in WRONG.items():
            seen = _seen(serving, ready, **fields)
            plans[Case(f"wrong: {wrong}", "any", serving, "any")] = plan(seen, NOW)
        taken = _seen(serving, ready)
        taken.children["ConfigMap/rec-registry"] = {"kind": "ConfigMap", "metadata": {}}
        plans[Case("a name is taken", "any", serving, "any")] = plan(taken, NOW)
        message = (
            'Deployment.apps "rec-green" is invalid: spec.template.spec.tolerations[0].operator'
        )
        refused = stalled_plan(_seen(serving, ready), write_refused(message), NOW)
        plans[Case("the API server refuses", "any", serving, "any")] = refused
    return {
        case: status_text(made.status["summary"], made.status["conditions"])
        for case, made in plans.items()
        if made.status is not None
    }


def _seen(serving: str, ready: int, /, **spec: Any) -> Observed:
    """One ModelDeployment whose blue slot has the traffic, or nothing has it."""
    if serving == "-":
        owner = model_deployment(**spec)
        return Observed(owner, Unknown("", ""), None, IMAGES)
    owner = model_deployment(**spec, status={"serving": {"version": "7", "revision": "abc"}})
    owned = {
        "ownerReferences": [{"controller": True, "uid": owner["metadata"]["uid"]}],
        "annotations": {"pennant.dev/active-slot": "blue"},
    }
    children = {
        "Service/rec": {"kind": "Service", "metadata": owned, "spec": {"selector": SLOT}},
        "Deployment/rec-blue": {
            "kind": "Deployment",
            "metadata": owned,
            "spec": {"template": {"metadata": {"labels": {}}}},
            "status": {"readyReplicas": ready},
        },
    }
    return Observed(owner, Unknown("", ""), None, IMAGES, children)
