"""Who wrote to an API server, by its own audit log: each operator comes as a user of its own."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pennant_dev.controlplane import ALONE, ControlPlane

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Metadata, verbs: [create, update, patch, delete]}
  - {level: None}
"""


@dataclass(frozen=True)
class Write:
    """A request to write, as the API server took it, whatever became of it."""

    user: str
    what: str
    began: datetime
    ended: datetime
    code: int


def flags(folder: Path) -> tuple[str, ...]:
    """What an API server needs to be told to keep its log in a folder."""
    policy = folder / "audit.yaml"
    policy.write_text(POLICY)
    return (*ALONE, f"--audit-policy-file={policy}", f"--audit-log-path={folder / 'audit.log'}")


def kubeconfig(plane: ControlPlane, user: str, port: int | None = None) -> Path:
    """The kubeconfig of a user who may do everything, over another port if there is one."""
    path = plane.write_kubeconfig(user, f"/O=system:masters/CN={user}")
    if port is not None:
        through = f"https://127.0.0.1:{port}"
        path.write_text(path.read_text().replace(plane.server, through))
    return path


def writes(plane: ControlPlane, *users: str) -> list[Write]:
    """What these users wrote, first come first; the Lease is not meant."""
    lines = (plane.folder / "audit.log").read_text().splitlines(keepends=True)
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return sorted(
        (
            _write(entry)
            for entry in found
            if entry["user"]["username"] in users and entry["objectRef"]["resource"] != "leases"
        ),
        key=lambda write: write.began,
    )


def turns(found: list[Write]) -> list[str]:
    """Users in the order in which they took turns at writing."""
    return [user for user, _ in itertools.groupby(found, key=lambda write: write.user)]


def _write(entry: dict) -> Write:
    return Write(
        user=entry["user"]["username"],
        what=f"{entry['verb']} {entry['objectRef']['resource']}",
        began=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        ended=datetime.fromisoformat(entry["stageTimestamp"]),
        code=entry["responseStatus"]["code"],
    )
