"""What the API server itself says that the operator did: its audit log."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.controlplane import ALONE, ControlPlane

USER = "pennant-operator"
POLICY = f"""\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {{level: Metadata, users: [{USER}]}}
  - {{level: None}}
"""


@dataclass(frozen=True)
class Audit:
    """The operator's requests to one API server, as that recorded them."""

    log: Path

    @classmethod
    def flags(cls, folder: Path) -> tuple[str, ...]:
        """What an API server needs to be told to keep this log in a folder."""
        policy = folder / "audit.yaml"
        policy.write_text(POLICY)
        return (*ALONE, f"--audit-policy-file={policy}", f"--audit-log-path={cls.of(folder).log}")

    @classmethod
    def of(cls, folder: Path) -> Audit:
        return cls(folder / "audit.log")

    @staticmethod
    def kubeconfig(plane: ControlPlane) -> Path:
        """Who the operator is, so that its requests are told from everybody else's."""
        return plane.write_kubeconfig(USER, f"/O=system:masters/CN={USER}")

    def mark(self) -> int:
        """Now, for `requests`."""
        return self.log.stat().st_size

    def requests(self, since: int) -> Counter[str]:
        """`verb resource` of everything since a mark."""
        with self.log.open("rb") as log:
            log.seek(since)
            found = [json.loads(line) for line in log if line.endswith(b"\n")]
        return Counter(f"{each['verb']} {_object(each)}" for each in found)

    def writes(self, since: int) -> Counter[str]:
        """Those that change something."""
        reads = ("get ", "list ", "watch ")
        return Counter(
            {did: n for did, n in self.requests(since).items() if not did.startswith(reads)}
        )


def _object(entry: dict[str, dict[str, str]]) -> str:
    of = entry.get("objectRef", {})
    return "/".join(filter(None, (of.get("resource"), of.get("subresource"))))
