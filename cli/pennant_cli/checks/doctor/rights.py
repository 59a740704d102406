"""What the account may write, by what MLflow says of it: nothing is tried."""

from __future__ import annotations

from pennant_cli.checks.doctor.asking import Server
from pennant_cli.checks.findings import Finding, Verdict

CURRENT = "/api/2.0/mlflow/users/current"
PERMISSION = "/api/3.0/mlflow/users/permissions/get"
WRITING = ("EDIT", "MANAGE")


def writing(server: Server, model: str) -> Finding:
    """Whether versions of a model can be tagged and its aliases moved."""
    answer = server.get(CURRENT)
    if answer.status == 404 and not server.has_account:
        message = "MLflow asks nobody who they are: whoever reaches it may move aliases (not tried)"
        return Finding("writing", Verdict.OK, message)
    user = answer.content.get("user") or {}
    name = user.get("username")
    if answer.status != 200 or not name:
        message = f"MLflow does not say what this account may do ({answer.status}); not tried"
        return Finding("writing", Verdict.UNKNOWN, message)
    if user.get("is_admin"):
        return Finding("writing", Verdict.OK, f"{name} is an administrator of MLflow")
    query = {"username": name, "resource_type": "registered_model", "resource_id": model}
    permission = server.get(PERMISSION, **query).content.get("permission")
    if permission in WRITING:
        return Finding("writing", Verdict.OK, f"{name} may move aliases of {model} ({permission})")
    if permission is None:
        message = f"MLflow does not say whether {name} may move aliases of {model}; not tried"
        return Finding("writing", Verdict.UNKNOWN, message)
    message = f"{name} may not move aliases of {model} ({permission})"
    remedy = "for promote and register, have its administrator grant EDIT on the model"
    return Finding("writing", Verdict.WARNING, message, remedy)
