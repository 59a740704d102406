"""The local cluster's audit log: what the operator's pods wrote, and each turn at the Lease.

The API server names the pod whose token came with a request, so it is told which replica wrote.
"""

import json
from pathlib import Path

GROUP = "system:serviceaccounts:pennant-system"
WRITES = ["create", "update", "patch", "delete", "deletecollection"]
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Request",  # with the body, which says who is to hold the Lease
            "userGroups": [GROUP],
            "verbs": WRITES,
            "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
        },
        {"level": "Metadata", "userGroups": [GROUP], "verbs": WRITES},
        {"level": "None"},
    ],
}


def path(state: Path) -> Path:
    """Where the API server of this state folder writes it, a line of JSON for each request."""
    return state / "log" / "audit.log"


def flags(state: Path) -> tuple[str, ...]:
    """What the API server is to be told, once `begin` was called."""
    log = (f"--audit-log-path={path(state)}", "--audit-log-maxsize=50", "--audit-log-maxbackup=1")
    return (f"--audit-policy-file={_policy(state)}", *log)


def begin(state: Path) -> None:
    """Write the policy, and forget what an earlier cluster logged."""
    _policy(state).write_text(json.dumps(POLICY, indent=1))
    path(state).unlink(missing_ok=True)


def _policy(state: Path) -> Path:
    return state / "audit-policy.json"
