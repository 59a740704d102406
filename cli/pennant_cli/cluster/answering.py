"""`why`: what is so, why, and what would change it, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pennant_cli.cluster.api import Api
from pennant_cli.cluster.looking import log_of
from pennant_cli.cluster.seeing import Sight, slot_that_matters
from pennant_cli.cluster.tree import follows, slots_of
from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import LABEL_SLOT, Condition
from pennant_operator.decide.why.answer import Answer, is_judged, why
from pennant_operator.decide.why.change import Change
from pennant_operator.decide.why.settling import Moment

LOG_LINES = 8


def answered(api: Api, sight: Sight) -> dict[str, Any]:
    """All that is known of one ModelDeployment, and what would change it."""
    owner, answer = sight.observed.owner, why(sight.observed, sight.now)
    status = owner.get("status") or {}
    log = {} if answer.in_sync and _is_ready(sight) else _log(api, sight)
    return {
        "name": owner["metadata"]["name"],
        "namespace": owner["metadata"]["namespace"],
        "summary": status.get("summary", ""),
        "follows": follows(owner),
        "desired": (status.get("desired") or {}).get("version"),
        "serving": (status.get("serving") or {}).get("version"),
        "candidate": (status.get("candidate") or {}).get("version"),
        "inSync": answer.in_sync,
        "reason": answer.reason,
        "message": answer.message,
        "notes": list(_notes(sight, answer)),
        "mayTakeUntil": format_time(answer.gives_up) if answer.gives_up else None,
        "remedies": [
            {"changes": [_change(each) for each in remedy.changes], "then": remedy.then}
            for remedy in answer.remedies
        ],
        "slots": slots_of(owner, sight.observed.children, sight.pods),
        "log": log,
    }


def _change(change: Change) -> dict[str, Any]:
    return {"means": str(change.means), "what": change.what, "commands": list(change.commands)}


def _is_ready(sight: Sight) -> bool:
    ready = Moment(sight.observed, sight.now).memory.condition(Condition.READY)
    return ready.get("status") == "True"


def _notes(sight: Sight, answer: Answer) -> Iterator[str]:
    """What this answer does not know."""
    if not answer.reason:
        yield (
            "no operator has looked at it yet: kubectl get pods -A -l app.kubernetes.io/name="
            "pennant-operator shows whether one runs"
        )
    elif not is_judged(sight.observed):
        yield "the spec has changed since the operator looked at it last"
    ready = Moment(sight.observed, sight.now).memory.condition(Condition.READY)
    if answer.reason and ready.get("status") != "True":
        yield f"nothing answers ({ready.get('reason', '')}): {ready.get('message', '')}"
    yield from sight.hidden


def _log(api: Api, sight: Sight) -> dict[str, str]:
    """Of the pod that matters most: one that failed, else one that is not ready."""
    slot = slot_that_matters(sight.observed.owner, sight.observed.children)
    pods = {
        pod["metadata"]["name"]: pod
        for pod in sight.pods
        if pod["metadata"]["labels"].get(LABEL_SLOT) == slot
    }
    seen = sight.observed.pods.get(slot, ())
    facts = [each for each in seen if not each.ready and each.name in pods]
    facts.sort(key=lambda each: each.failure is None)
    if not facts or facts[0].scheduled is None:
        return {}
    return log_of(api, pods[facts[0].name], "", LOG_LINES)


def text_of(entry: dict[str, Any]) -> str:
    """For people."""
    return "\n".join(_lines(entry))


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    serving = f"version {entry['serving']}" if entry["serving"] else "nothing"
    desired = f"version {entry['desired']}" if entry["desired"] else "no version"
    yield f"{entry['name']} ({entry['namespace']}) {entry['summary']}"
    yield f"{entry['follows']}: {desired} is desired, {serving} serves"
    yield ""
    yield f"why  {entry['reason']}"
    yield f"  {entry['message']}"
    yield from (f"  note: {each}" for each in entry["notes"])
    yield from _slot_lines(entry["slots"])
    if entry["log"]:
        yield f"log of pod {entry['log']['pod']}, container {entry['log']['container']}"
        yield from (f"  {line}" for line in entry["log"]["log"].splitlines())
        yield ""
    yield from _remedy_lines(entry)


def _slot_lines(slots: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    for slot in slots:
        yield f"slot {slot['slot']}: {slot['what']}"
        yield from (f"  pod {pod['pod']}: {pod['what']}" for pod in slot["pods"])
    yield ""


def _remedy_lines(entry: dict[str, Any]) -> Iterator[str]:
    if entry["inSync"]:
        yield "nothing is to be changed: what is desired has the traffic"
        return
    if entry["mayTakeUntil"]:
        yield f"the operator goes on by itself, and gives it until {entry['mayTakeUntil']}"
    if entry["remedies"]:
        yield "what would change it, the smallest change first"
    elif not entry["mayTakeUntil"]:
        yield "no change is known that would: see the message above"
    for number, remedy in enumerate(entry["remedies"], 1):
        for nth, change in enumerate(remedy["changes"]):
            yield f"  {f'{number}.' if not nth else '  '} {'and ' if nth else ''}{change['what']}"
            yield from (f"       {command}" for command in change["commands"])
        yield f"     then {remedy['then']}"
