"""Every situation that a ModelDeployment can be in, by name: what the conditions are made from."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any, NamedTuple

from pennant_operator.decide.plan import plan
from pennant_operator.decide.registry import no_answer, registries, sources
from pennant_operator.decide.seen.observed import Absent, Desired, Observed, Unknown, Unresolved
from pennant_operator.decide.seen.spec import Watch, parse_spec
from pennant_operator.decide.status.conditions import conditions_of, summary_of
from pennant_operator.decide.status.messages import Situation
from pennant_operator.decide.status.stalled import stalled_plan, write_refused
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Waiting
from pennant_operator.observe.mlflow.trouble import MlflowRefusedError, NotAllowedError
from pennant_operator.observe.poll import absence
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.unresolved import NotResolvedError, unresolved
from pennant_testing.memory.edited_situations import after_edits
from pennant_testing.memory.object_builders import IMAGES, NOW, model_deployment, version

SPECS: dict[str, dict[str, Any]] = {
    "alias": {},
    "stage": {"model": {"name": "news", "stage": "Production"}},
    "pinned": {"model": {"name": "news", "version": "8"}},
    "ScaleDown": {"onAliasRemoved": "ScaleDown"},
    "suspended": {"suspend": True},
    "replicas 0": {"replicas": 0},
    "suspended, replicas 0": {"suspend": True, "replicas": 0},
}
DEFAULT = registries.parse_registry(
    {"metadata": {"name": "default"}, "spec": {"url": "http://mlflow"}}
)
CLOSED = replace(DEFAULT, allowed_models=("sports",)).refusal("team", "news")
assert CLOSED is not None
SILENT = no_answer.registry_silent("default", NOW)
ELSEWHERE = sources.source_refusal("s3://elsewhere/8", ("mlflow-artifacts:/",), registry="default")
DESIRED: dict[str, Desired | None] = {
    "8": version(8),
    "8, now unreachable": replace(version(8), silence=SILENT),
    "nothing": None,  # by what is followed: no alias, no stage, no such version
    "no such model": None,
    "8, no source": None,
    "9, no source": None,
    "hidden": None,
    "nothing, seen once": None,  # soon to be confirmed
    "refused": CLOSED,
    "8, source refused": ELSEWHERE,
    "registry invalid": no_answer.registry_invalid(
        "default", "pennant", registries.InvalidRegistryError("spec.url 'mlflow' is no address")
    ),
    "not asked yet": no_answer.registry_not_asked("default"),
    "unreachable": SILENT,
}
KNOWN = ("8", "8, now unreachable")
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
ENTRY = {"version": "8", "slot": "green", "revision": "abc"}
SEVEN = {**ENTRY, "version": "7", "slot": "blue"}
HOLD = {
    "reason": "Unschedulable",
    "message": "phase schedule took longer than 30m (spec.rollout.deadlines.schedule): no cpu",
    "retryTime": format_time(NOW + timedelta(seconds=30)),
}
LATE = Waiting("load", "not ready yet: rec-green-a, rec-green-b")
LEFT = "version 6 has pods there that end first: rec-green-c on node-2"
CRASH = "2 of 2 pods restarted after they had traffic: pod rec-green-a, container serve: exit 139"
REJECTED = {"version": "8", "reason": "LoadFailed", "message": "no module named 'lightgbm'"}
CRASHED = {"version": "8", "reason": "CrashedInBake", "message": CRASH}
CANDIDATE: dict[str, dict[str, Any]] = {
    "-": {},
    "8 comes up": {"candidate": ENTRY, "verdict": LATE},
    "8 waits for room": {"candidate": ENTRY, "room": LEFT},
    "8 held": {"candidate": {**ENTRY, **HOLD}, "parked": True},
    "8 rejected": {"rejection": REJECTED},
    "8 crashed": {"rejection": CRASHED},
}
BACK = {
    "candidate": SEVEN,
    "back": True,
    "verdict": Waiting("load", "not ready yet: rec-blue-a"),
}
BACK_HELD = {"candidate": {**SEVEN, **HOLD}, "back": True, "parked": True}
CANDIDATE |= {
    "8 crashed, back to 7": {"rejection": CRASHED, **BACK},
    "8 crashed, 7 held": {"rejection": CRASHED, **BACK_HELD},
    "8 is next": {"back": True},  # went back at once from a crash of an earlier revision
    "first back to 7": BACK,  # the earlier revision crashed, or nobody says what is desired now
    "first back to 7, held": BACK_HELD,
}
STOPPED = ("suspended", "suspended, replicas 0", "replicas 0")
GOES_BACK = (
    "8 crashed, back to 7",
    "8 crashed, 7 held",
    "first back to 7",
    "first back to 7, held",
)
ON_ITS_WAY = ("8 comes up", "8 waits for room", "8 held")


class Case(NamedTuple):
    """The names of a situation's parts."""

    spec: str
    desired: str
    serving: str
    candidate: str


@dataclass(frozen=True)
class Told:
    """What a person reads in one situation."""

    summary: str
    conditions: dict[str, dict[str, Any]]

    @property
    def words(self) -> tuple[str, ...]:
        """All but the messages."""
        return (
            self.summary,
            *(f"{c['status']} {c['reason']}" for c in self.conditions.values()),
        )


def told_by(summary: str, conditions: list[dict[str, Any]]) -> Told:
    return Told(summary, {c["type"]: c for c in conditions})


@cache
def table() -> dict[Case, Told]:
    """Everything that can occur, and what is said then."""
    named = [Case(*names) for names in product(SPECS, DESIRED, SERVING, CANDIDATE)]
    decided = {case: situation(case) for case in named if _occurs(case)}
    return (
        {
            case: told_by(summary_of(seen), conditions_of(seen, 1, NOW))
            for case, seen in decided.items()
        }
        | _undecided()
        | _edited()
    )


def situation(case: Case) -> Situation:
    spec = parse_spec(model_deployment(**SPECS[case.spec]))
    return Situation(
        spec=spec,
        desired=_desired(case, spec.watch),
        in_sync=case.desired in KNOWN and _serves_8(case),
        edited="earlier" in case.serving or (case.spec == "pinned" and case.serving[0] == "7"),
        **SERVING[case.serving],
        **CANDIDATE[case.candidate],
    )


def _desired(case: Case, watch: Watch) -> Desired:
    found = DESIRED[case.desired]
    if case.desired in UNRESOLVED:
        return unresolved(watch, UNRESOLVED[case.desired])
    if found == version(8) and watch.stage:
        return replace(version(8), beside=("7", "5"))
    if found is not None:
        return found
    nothing = _nothing(case, watch)
    if case.desired == "nothing, seen once":
        return Unresolved(nothing.reason, nothing.message)
    return nothing


def _nothing(case: Case, watch: Watch) -> Absent:
    if case.desired == "no such model" or watch.version:
        return absence.missing_version(watch) if watch.version else absence.missing_model(watch)
    return absence.missing_alias(watch) if watch.alias else absence.empty_stage(watch)


def _occurs(case: Case) -> bool:
    rules = (_a_registry, _a_candidate, _a_rejection, _a_size, _a_removal)
    return all(rule(case) for rule in rules)


def _a_registry(case: Case) -> bool:
    """A pinned version is missing or there: MLflow has one answer for it and for its model."""
    return case.spec != "pinned" or case.desired not in {"no such model", "9, no source"}


def _a_candidate(case: Case) -> bool:
    """It is on its way to what is desired, or was when the registry was last heard."""
    goes = case.spec not in STOPPED
    if case.candidate in GOES_BACK and "replicas 0" in case.spec:
        return False  # nothing moves where nothing can be proved
    if case.candidate in ON_ITS_WAY:
        return case.desired in {*KNOWN, *NO_ANSWER} and goes and not _serves_8(case)
    if case.candidate == "8 is next":
        return case.desired in KNOWN and case.serving.startswith("7") and goes
    if case.candidate == "-" and case.desired in KNOWN:
        # What is desired and not rejected is on its way, unless a person said not to.
        return _serves_8(case) or case.spec in STOPPED
    return True


def _a_rejection(case: Case) -> bool:
    """Before the traffic: it does not serve. In the bake: it does, and goes back if it can."""
    earlier, baking = "earlier" in case.serving, "baking" in case.serving
    if case.candidate == "8 rejected":
        return case.desired in {*KNOWN, *([] if earlier else UNKNOWN)} and not _serves_8(case)
    if case.candidate.startswith("8 crashed"):
        return case.desired in KNOWN and _serves_8(case) and not baking
    if case.candidate.startswith("first back"):
        crashed = earlier if case.desired in KNOWN else _serves_8(case)
        return crashed and not baking
    return True


def _serves_8(case: Case) -> bool:
    return case.serving.startswith("8") and "earlier" not in case.serving


def _a_size(case: Case) -> bool:
    """At replicas 0 no pod is ready, but for those that have not heard of it yet."""
    steady = case.serving in {"-", "withdrawn", "7", "8"} or case.serving.endswith("none ready")
    return "replicas 0" not in case.spec or steady


def _a_removal(case: Case) -> bool:
    """With ScaleDown an alias that is removed takes the traffic with it, for good; else nothing."""
    if case.serving == "withdrawn":
        return case.spec not in {"alias", "stage", "pinned"}
    return (case.spec, case.desired) != ("ScaleDown", "nothing") or case.serving == "-"


SLOT = {"pennant.dev/slot": "blue", "pennant.dev/deployment": "rec"}
WRONG: dict[str, dict[str, Any]] = {
    "duration": {"rollout": {"bake": "2 minutes"}},
    "pointers": {"model": {"name": "news", "alias": "production", "version": "7"}},
    "no model": {"model": {}},
    "name": {"model": {"name": "a/b", "alias": "production"}},
    "version": {"model": {"name": "news", "version": "9999999999"}},
    "Custom": {"serving": {"mode": "Custom"}},
}


def _undecided() -> dict[Case, Told]:
    """Where nothing can be decided: the object itself, a name, or the API server is in the way."""
    found = {}
    for serving, ready in (("-", 0), ("7", 2), ("7, none ready", 0)):
        for wrong, fields in WRONG.items():
            seen = _seen(serving, ready, **fields)
            found[Case(f"wrong: {wrong}", "any", serving, "any")] = plan(seen, NOW)
        taken = _seen(serving, ready)
        taken.children["ConfigMap/rec-registry"] = {"kind": "ConfigMap", "metadata": {}}
        found[Case("a name is taken", "any", serving, "any")] = plan(taken, NOW)
        said = 'Deployment.apps "rec-green" is invalid: spec.template.spec.tolerations[0].operator'
        refused = stalled_plan(_seen(serving, ready), write_refused(said), NOW)
        found[Case("the API server refuses", "any", serving, "any")] = refused
    return {
        case: told_by(made.status["summary"], made.status["conditions"])
        for case, made in found.items()
        if made.status is not None
    }


def _edited() -> dict[Case, Told]:
    """What becomes of what was said before (edited_situations.py)."""
    return {
        Case(past, answer, "7", "it comes up" if "candidate" in status else "-"): told_by(
            status["summary"], status["conditions"]
        )
        for (past, answer), status in after_edits().items()
    }


def _seen(serving: str, ready: int, /, **spec: Any) -> Observed:
    """One ModelDeployment whose blue slot has the traffic, or nothing has it."""
    if serving == "-":
        owner = model_deployment(**spec)
        return Observed(owner, Unknown("", ""), None, IMAGES)
    owner = model_deployment(**spec, status={"serving": {"version": "7", "revision": "abc"}})
    owned = {
        "ownerReferences": [{"controller": True, "uid": owner["metadata"]["uid"]}],
        "annotations": {"pennant.dev/active-slot": "blue"},
    }
    children = {
        "Service/rec": {"kind": "Service", "metadata": owned, "spec": {"selector": SLOT}},
        "Deployment/rec-blue": {
            "kind": "Deployment",
            "metadata": owned,
            "spec": {"template": {"metadata": {"labels": {}}}},
            "status": {"readyReplicas": ready},
        },
    }
    return Observed(owner, Unknown("", ""), None, IMAGES, children)
