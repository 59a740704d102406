"""What the API server itself says that the operator did: its audit log."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pennant_dev.controlplane import ALONE, ControlPlane

USER = "pennant-operator"
GROUP = "operators"
POLICY = f"""\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {{level: Metadata, userGroups: [{GROUP}]}}
  - {{level: None}}
"""
READS = ("get", "list", "watch")


@dataclass(frozen=True)
class Write:
    """A request to write, as the API server took it, whatever became of it."""

    user: str
    what: str
    """The resource, such as `deployments`."""
    name: str
    """Of the object; empty where the API server was to choose one."""
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Audit:
    """The operator's requests to one API server, as that recorded them."""

    log: Path

    @classmethod
    def flags(cls, folder: Path) -> tuple[str, ...]:
        """What an API server needs to be told to keep this log in a folder."""
        policy = folder / "audit.yaml"
        policy.write_text(POLICY)
        log = (f"--audit-log-path={cls.of(folder).log}", "--audit-log-maxsize=100000")  # one file
        return (*ALONE, f"--audit-policy-file={policy}", *log)

    @classmethod
    def of(cls, folder: Path) -> Audit:
        return cls(folder / "audit.log")

    @staticmethod
    def kubeconfig(plane: ControlPlane, user: str = USER) -> Path:
        """Who an operator is: its requests are told from everybody else's, and it may do what
        `operator_rights.py` has granted the group, no more.
        """
        return plane.write_kubeconfig(user, f"/O={GROUP}/CN={user}")

    def mark(self) -> int:
        """Now, for `requests`."""
        return self.log.stat().st_size

    def requests(self, since: int) -> Counter[str]:
        """`verb resource` of everything since a mark."""
        return Counter(f"{each['verb']} {_object(each)}" for each in entries(self.log, since))

    def writes(self, since: int) -> Counter[str]:
        """Those that change something; the Lease excepted."""
        return Counter(
            {
                did: n
                for did, n in self.requests(since).items()
                if did.split()[0] not in READS and not did.endswith(" leases")
            }
        )

    def written(self, *users: str, since: int = 0) -> list[Write]:
        """What these users wrote since a mark, first come first; the Lease excepted."""
        writes = (
            _write(entry)
            for entry in entries(self.log, since)
            if entry["user"]["username"] in users
            and entry["verb"] not in READS
            and _object(entry) != "leases"
        )
        return sorted(writes, key=lambda write: write.began)

    def forbidden(self) -> Counter[str]:
        """`user verb resource` of what the roles of the operators do not allow."""
        return Counter(
            f"{each['user']['username']} {each['verb']} {_object(each)}"
            for each in entries(self.log)
            if each.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid"
        )

    def turns(self, *users: str, since: int = 0) -> list[str]:
        """These users in the order in which they took turns at writing since a mark."""
        writers = (write.user for write in self.written(*users, since=since))
        return [user for user, _ in itertools.groupby(writers)]


def entries(log: Path, since: int = 0) -> Iterator[dict[str, Any]]:
    """What an audit log holds from a byte on."""
    return map(json.loads, lines(log, since))


def lines(log: Path, since: int = 0) -> Iterator[bytes]:
    """The whole lines that begin at a byte of a log or after it, which is being written."""
    with log.open("rb") as opened:
        if since:
            opened.seek(since - 1)
            opened.readline()  # of one that was being written then, the rest
        yield from (line for line in opened if line.endswith(b"\n"))


def _write(entry: dict[str, Any]) -> Write:
    return Write(
        user=entry["user"]["username"],
        what=_object(entry),
        name=entry.get("objectRef", {}).get("name", ""),
        began=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        ended=datetime.fromisoformat(entry["stageTimestamp"]),
    )


def _object(entry: dict[str, Any]) -> str:
    of = entry.get("objectRef", {})
    return "/".join(filter(None, (of.get("resource"), of.get("subresource"))))
