"""What the operator asked of the API server, from the API server's own audit log."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

WRITES = ("create", "update", "patch", "delete", "deletecollection")


def requests(log: Path, since: datetime) -> Counter[str]:
    """`verb resource` -> requests that ended at or after this time; watches are not counted."""
    found: Counter[str] = Counter()
    with log.open() as lines:
        for line in lines:
            entry = json.loads(line)
            ended = datetime.fromisoformat(entry["stageTimestamp"])
            if ended >= since and entry["verb"] != "watch" and "objectRef" in entry:
                found[f"{entry['verb']} {entry['objectRef']['resource']}"] += 1
    return found


def writes(counted: Counter[str]) -> int:
    """How many of these change something; that the Lease is renewed is not counted."""
    changes = {what: count for what, count in counted.items() if what.split()[0] in WRITES}
    return sum(count for what, count in changes.items() if not what.endswith(" leases"))


def now() -> datetime:
    """Where a count begins."""
    return datetime.now(UTC)
