"""How another ModelDeployment answers copies of the requests (spec.mirror), as `status.mirror`.

The pods that have the traffic send the copies, and compare both answers; they are asked for the
figures while it is set. It is in the status before a pod is told of it, so that whoever takes it
out of the spec finds that pods are to be told again.
"""

from typing import Any

from pennant_operator.decide.candidate.answers import WINDOW_SECONDS, question_to_serving
from pennant_operator.decide.seen.answers import ReportQuestion
from pennant_operator.decide.seen.mirror import Mirror, Mirrored
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.step import Step

_DOUBLING = ("compared", "differed", "failed", "dropped")


def mirror_from(step: Step, traffic: Traffic | None) -> Mirror | None:
    """What pods with this traffic are to copy requests to; None: nothing, or they cannot."""
    mirror, record = step.world.spec.mirror, step.records.get(traffic.revision if traffic else "")
    return mirror if record is not None and record.can_share else None


def question_about_mirror(step: Step) -> ReportQuestion | None:
    """About the copies of the last five minutes."""
    traffic = step.world.traffic
    mirror = mirror_from(step, traffic)
    if traffic is None or mirror is None or not step.world.spec.replicas:
        return None
    about = f"{traffic.revision} mirrored {mirror.to}"
    return question_to_serving(step, traffic, about, WINDOW_SECONDS)


def is_new_mirror(step: Step) -> bool:
    """Whether it is to be written before pods are told of it."""
    entry = mirror_entry(step, step.world.traffic) or {}
    return bool(entry) and entry["to"] != step.memory.mirror.get("to")


def mirror_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    """The next `status.mirror`; figures that have not doubled stay as they are (law 7)."""
    mirror = step.world.spec.mirror
    if mirror is None or traffic is None or not step.world.spec.replicas:
        return None
    if mirror_from(step, traffic) is None:
        why = f"version {step.version_of(traffic.revision)} was rolled out before its pods could"
        return {"to": mirror.to, "unread": f"{why} copy requests"}
    known = step.memory.mirror
    same = (known.get("to"), known.get("revision")) == (mirror.to, traffic.revision)
    entry = known if same else {"to": mirror.to, "revision": traffic.revision}
    reports = step.observed.reports
    if reports is None or traffic != step.world.traffic:
        return entry
    if not reports.read:
        return {**entry, "unread": entry.get("unread") or reports.unread}
    entry = {name: value for name, value in entry.items() if name != "unread"}
    seen = reports.answers.mirrored
    if seen is None or seen.to != mirror.address(step.world.spec.namespace):
        return entry
    return entry | _entry_of(seen) if _has_doubled(entry, seen) else entry


def _has_doubled(entry: dict[str, Any], seen: Mirrored) -> bool:
    before = {**entry, "differed": entry.get("compared", 0) - entry.get("agreed", 0)}
    now = {**_entry_of(seen), "differed": seen.compared - seen.agreed}
    return any(now[name] and now[name] >= 2 * before.get(name, 0) for name in _DOUBLING)


def _entry_of(seen: Mirrored) -> dict[str, Any]:
    decimals = {
        "distance": seen.distance,
        "ownSeconds": seen.own_seconds,
        "theirSeconds": seen.their_seconds,
    }
    return {
        "compared": seen.compared,
        "agreed": seen.agreed,
        "failed": seen.failed,
        "dropped": seen.dropped,
        **{name: f"{value:.6f}" for name, value in decimals.items() if value is not None},
    }
