"""What Argo CD and Flux make of our objects, by the rules in manifests/gitops.

Run by a real Lua, 5.1 as Argo CD's, and a real CEL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cel
import yaml
from lupa import lua51

from pennant_testing.truth.kstatus import CURRENT, FAILED, IN_PROGRESS, Object

FOLDER = Path(__file__).parents[4] / "manifests" / "gitops"
ARGO = FOLDER / "argocd-cm.yaml"
FLUX = FOLDER / "flux-health.yaml"
KEY = "resource.customizations.health.pennant.dev_"


class ArgoHealth(NamedTuple):
    """One object's, as Argo CD shows it."""

    status: str
    message: str


def argo_health(obj: Object) -> ArgoHealth:
    """By the script for its kind."""
    runtime, script = _script(obj["kind"])
    health = script(runtime.table_from(obj, recursive=True))
    return ArgoHealth(health.status, health.message)


def flux_health(obj: Object) -> str:
    """By the expressions for its kind, in the order in which Flux asks them."""
    expressions = _expressions()[obj["kind"]]
    variables = {name: obj.get(name, {}) for name in ("metadata", "spec", "status")}
    order = {"inProgress": IN_PROGRESS, "failed": FAILED, "current": CURRENT}
    true = (verdict for n, verdict in order.items() if cel.evaluate(expressions[n], variables))
    return next(true, IN_PROGRESS)


@cache
def _script(kind: str) -> tuple[lua51.LuaRuntime, Callable[[Any], Any]]:
    """The body that Argo CD runs, with the object as the global `obj`."""
    body = yaml.safe_load(ARGO.read_text())["data"][KEY + kind]
    runtime = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    return runtime, runtime.execute(f"return function(obj)\n{body}\nend")


@cache
def _expressions() -> dict[str, dict[str, str]]:
    checks = yaml.safe_load(FLUX.read_text())["spec"]["healthCheckExprs"]
    return {check["kind"]: check for check in checks}
