"""What a situation is made of, by name: spec, answer of the registry, what serves, what comes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from pennant_operator.decide.goal.gates import AskedGate
from pennant_operator.decide.goal.package_index import no_index
from pennant_operator.decide.registry import images, no_answer, registries, sources
from pennant_operator.decide.seen.observed import Desired
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Waiting
from pennant_operator.observe.mlflow.trouble import MlflowRefusedError, NotAllowedError
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.unresolved import NotResolvedError
from pennant_registry.gates import GateResult, Result
from pennant_registry.hold_form import Hold
from pennant_testing.memory.object_builders import NOW, version

SPECS: dict[str, dict[str, Any]] = {
    "alias": {},
    "stage": {"model": {"name": "news", "stage": "Production"}},
    "pinned": {"model": {"name": "news", "version": "8"}},
    "ScaleDown": {"onAliasRemoved": "ScaleDown"},
    "suspended": {"suspend": True},
    "replicas 0": {"replicas": 0},
    "suspended, replicas 0": {"suspend": True, "replicas": 0},
    "on hold": {},
    "pinned by an action": {},
}
WHO = "of jane@example.com, until 2026-11-21T18:00:00Z"
# What people say beside a spec.
BESIDE: dict[str, Callable[[Spec], Spec]] = {
    "on hold": lambda spec: replace(spec, hold=f"RolloutAction freeze ({WHO})"),
    "pinned by an action": lambda spec: replace(
        spec, watch=spec.watch.pinned("8", f"RolloutAction only-8 ({WHO}: as agreed)")
    ),
}
PINNED = ("pinned", "pinned by an action")
DEFAULT = registries.parse_registry(
    {"metadata": {"name": "default"}, "spec": {"url": "http://mlflow"}}
)
CLOSED = replace(DEFAULT, allowed_models=("sports",)).refusal("team", "news")
assert CLOSED is not None
SILENT = no_answer.registry_silent("default", NOW)
ELSEWHERE = sources.source_refusal("s3://elsewhere/8", ("mlflow-artifacts:/",), registry="default")
OTHER_IMAGE = images.image_refusal("models.example/news:8", (), registry="default")
DESIRED: dict[str, Desired | None] = {
    "8": version(8),
    "8, now unreachable": replace(version(8), silence=SILENT),
    "8, now hidden": None,
    "nothing": None,  # by what is followed: no alias, no stage, no such version
    "no such model": None,
    "8, no source": None,
    "9, no source": None,
    "hidden": None,
    "nothing, seen once": None,  # soon to be confirmed
    "refused": CLOSED,
    "8, source refused": ELSEWHERE,
    "8, image refused": OTHER_IMAGE,
    "8, no index": no_index("default", "8"),
    "registry invalid": no_answer.registry_invalid(
        "default", "pennant", registries.InvalidRegistryError("spec.url 'mlflow' is no address")
    ),
    "not asked yet": no_answer.registry_not_asked("default"),
    "unreachable": SILENT,
}
KNOWN = ("8", "8, now unreachable", "8, now hidden")
UNKNOWN = ("not asked yet", "unreachable")
UNRESOLVED: dict[str, Exception] = {
    "8, no source": NotResolvedError(
        Pointed(1, "8"), (1, 0, "8"), MlflowRefusedError("404: no such run")
    ),
    "9, no source": NotResolvedError(Pointed(1, "9"), (1, 0, "9"), NotAllowedError("403")),
    "hidden": NotAllowedError("403"),
}
# It may be an empty database: a rollout goes on.
NO_ANSWER = (*UNKNOWN, "no such model", "8, no source", "hidden", "nothing, seen once")
STARTING = "pod rec-blue-b is starting"
SERVING: dict[str, dict[str, Any]] = {
    "-": {},
    "withdrawn": {"withdrawn": True},
    "7": {"serving": "7", "ready": 2},
    "7, 1 of 2 ready": {"serving": "7", "ready": 1, "trouble": STARTING},
    "7, none ready": {"serving": "7", "trouble": STARTING},
    "7, deleted": {"serving": "7", "ready": 2, "missing": True},
    "7 of an earlier spec": {"serving": "7", "ready": 2},
    "7 of an earlier spec, 1 of 2 ready": {"serving": "7", "ready": 1, "trouble": STARTING},
    "7 of an earlier spec, none ready": {"serving": "7", "trouble": STARTING},
    "8": {"serving": "8", "ready": 2},
    "8, 1 of 2 ready": {"serving": "8", "ready": 1, "trouble": STARTING},
    "8, baking": {"serving": "8", "ready": 2, "bakes_until": NOW + timedelta(minutes=2)},
    "8, baking, 1 of 2 ready": {
        "serving": "8",
        "ready": 1,
        "trouble": STARTING,
        "bakes_until": NOW + timedelta(minutes=2),
    },
    "8, none ready": {"serving": "8", "trouble": STARTING},
    "8 of an earlier spec": {"serving": "8", "ready": 2},
    "8 of an earlier spec, 1 of 2 ready": {"serving": "8", "ready": 1, "trouble": STARTING},
    "8 of an earlier spec, none ready": {"serving": "8", "trouble": STARTING},
}
HELD_UP = {"trouble": "once the pods of what was tried have ended", "held_up": format_time(NOW)}
SERVING |= {f"{number}, in the lobby": {"serving": number, **HELD_UP} for number in "78"}
ENTRY = {"version": "8", "slot": "green", "revision": "abc"}
# One takes over from the other in steps, or goes back.
SERVING |= {
    "7 and 8": {"serving": "7", "ready": 3, "alongside": ENTRY, "alongside_ready": 1},
    "7 and 8, none ready": {"serving": "7", "trouble": STARTING, "alongside": ENTRY},
    "8 and 9": {
        "serving": "8",
        "ready": 3,
        "alongside": {**ENTRY, "version": "9", "revision": "def"},
        "alongside_ready": 1,
    },
}
SEVEN = {**ENTRY, "version": "7", "slot": "blue"}
HOLD = {
    "reason": "Unschedulable",
    "message": "phase schedule took longer than 30m (spec.rollout.deadlines.schedule): no cpu",
    "retryTime": format_time(NOW + timedelta(seconds=30)),
}
LATE = Waiting("load", "not ready yet: rec-green-a, rec-green-b")
LEFT = "version 6 has pods there that end first: rec-green-c on node-2"
CRASH = "2 of 2 pods restarted after they had traffic: pod rec-green-a, container serve: exit 139"
GATES = (
    AskedGate(
        GateResult(
            "metrics.auc.min",
            Result.FAILED,
            "0.7",
            "at least 0.8",
            "metric auc is 0.7, and must be at least 0.8",
        )
    ),
    AskedGate(GateResult("tags.owner", Result.PASSED, "ana", "set"), "default"),
    AskedGate(
        GateResult(
            "tags.approved",
            Result.FAILED,
            "",
            "'true'",
            "tag approved is not set, and must be 'true'",
        ),
        "default",
    ),
)
IN_REGISTRY = Hold(
    "incident 12",
    by="ann@laptop",
    since=NOW,
    until=NOW + timedelta(days=1),
    tag="pennant.hold.production",
)
IN_LINE = {"revision": "abc", "since": format_time(NOW), "ahead": 11, "limit": 20}
REJECTED = {"version": "8", "reason": "LoadFailed", "message": "no module named 'lightgbm'"}
CRASHED = {"version": "8", "reason": "CrashedInBake", "message": CRASH}
CANDIDATE: dict[str, dict[str, Any]] = {
    "-": {},
    "8 comes up": {"candidate": ENTRY, "verdict": LATE},
    "8 waits for room": {"candidate": ENTRY, "room": LEFT},
    "8 held": {"candidate": {**ENTRY, **HOLD}, "parked": True},
    "8 held by gates": {"gates": GATES},
    "8 held in the registry": {"registry_hold": IN_REGISTRY},
    "8 stopped by the brake": {"braked": True},
    "8 in line": {"line": IN_LINE},
    "8 rejected": {"rejection": REJECTED},
    "8 crashed": {"rejection": CRASHED},
}
BACK = {
    "candidate": SEVEN,
    "back": True,
    "verdict": Waiting("load", "not ready yet: rec-blue-a"),
}
BRAKED = {"braked": True}
NINE = {"candidate": {**ENTRY, "version": "9"}, "verdict": LATE}
NINE_ON_HOLD = {"candidate": {**ENTRY, **HOLD, "version": "9"}, "parked": True}
BACK_ON_HOLD = {"candidate": {**SEVEN, **HOLD}, "back": True, "parked": True}
CANDIDATE |= {
    "8 crashed, back to 7": {"rejection": CRASHED, **BACK},
    "8 crashed, 7 held": {"rejection": CRASHED, **BACK_ON_HOLD},
    "8 is next": {"back": True},  # went back at once from a crash of an earlier revision
    "first back to 7": BACK,  # the earlier revision crashed, or nobody says what is desired now
    "first back to 7, held": BACK_ON_HOLD,
}
CANDIDATE |= {
    "8 stopped by the brake, 9 comes up": {**BRAKED, **NINE},
    "8 stopped by the brake, 9 held": {**BRAKED, **NINE_ON_HOLD},
    "vanished with others": BRAKED,
    "vanished with others, 9 comes up": {**BRAKED, **NINE},
    "vanished with others, 9 held": {**BRAKED, **NINE_ON_HOLD},
}
STARTS = {"rejection": REJECTED, "start": True}
CANDIDATE |= {
    "8 rejected, 7 comes up": {**STARTS, **BACK, "back": False},
    "8 rejected, 7 held": {**STARTS, **BACK_ON_HOLD, "back": False},
}
STOPPED = ("suspended", "suspended, replicas 0", "replicas 0", "on hold")
GOES_BACK = (
    "8 crashed, back to 7",
    "8 crashed, 7 held",
    "first back to 7",
    "first back to 7, held",
)
STARTS_FROM_7 = ("8 rejected, 7 comes up", "8 rejected, 7 held")
ON_ITS_WAY = ("8 comes up", "8 waits for room", "8 held")


class Case(NamedTuple):
    """The names of a situation's parts."""

    spec: str
    desired: str
    serving: str
    candidate: str
