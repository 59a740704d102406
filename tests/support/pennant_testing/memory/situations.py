"""Every situation that a ModelDeployment can be in, by name: what the conditions are made from."""

from dataclasses import replace
from functools import cache
from itertools import product

from pennant_operator.decide.seen.observed import Absent, Desired, Unresolved
from pennant_operator.decide.seen.peoples_word import answer_to_pin
from pennant_operator.decide.seen.spec import Watch, parse_spec
from pennant_operator.decide.status.conditions import conditions_of, summary_of
from pennant_operator.decide.status.messages import Situation
from pennant_operator.observe.poll import absence
from pennant_operator.observe.poll.unresolved import unresolved
from pennant_testing.memory.edited_situations import after_edits
from pennant_testing.memory.object_builders import NOW, model_deployment, version
from pennant_testing.memory.situation_parts import (
    BESIDE,
    CANDIDATE,
    DESIRED,
    KNOWN,
    PINNED,
    SERVING,
    SPECS,
    UNRESOLVED,
    Case,
)
from pennant_testing.memory.situation_rules import occurs, serves_8
from pennant_testing.memory.status_text import StatusText, status_text
from pennant_testing.memory.undecided_situations import undecided


@cache
def table() -> dict[Case, StatusText]:
    """Everything that can occur, and what is said then."""
    named = [Case(*names) for names in product(SPECS, DESIRED, SERVING, CANDIDATE)]
    decided = {case: situation(case) for case in named if occurs(case)}
    return (
        {
            case: status_text(summary_of(seen), conditions_of(seen, 1, NOW))
            for case, seen in decided.items()
        }
        | undecided()
        | _edited()
    )


def situation(case: Case) -> Situation:
    """What `plan` would make the conditions from."""
    spec = parse_spec(model_deployment(**SPECS[case.spec]))
    if (beside := BESIDE.get(case.spec)) is not None:
        spec = beside(spec)
    return Situation(
        spec=spec,
        desired=answer_to_pin(_desired(case, spec.watch), spec.watch),
        in_sync=case.desired in KNOWN and serves_8(case),
        edited="earlier" in case.serving or (case.spec in PINNED and case.serving[0] == "7"),
        **SERVING[case.serving],
        **CANDIDATE[case.candidate],
    )


def _desired(case: Case, watch: Watch) -> Desired:
    desired = DESIRED[case.desired]
    if case.desired == "8, now hidden":
        return replace(version(8), silence=unresolved(watch, UNRESOLVED["hidden"]))
    if case.desired in UNRESOLVED:
        return unresolved(watch, UNRESOLVED[case.desired])
    if desired == version(8) and watch.stage:
        return replace(version(8), beside=("7", "5"))
    if desired is not None:
        return desired
    nothing = _nothing(case, watch)
    if case.desired == "nothing, seen once":
        return Unresolved(nothing.reason, nothing.message)
    return nothing


def _nothing(case: Case, watch: Watch) -> Absent:
    if case.desired == "no such model" or watch.version:
        return absence.missing_version(watch) if watch.version else absence.missing_model(watch)
    return absence.missing_alias(watch) if watch.alias else absence.empty_stage(watch)


def _edited() -> dict[Case, StatusText]:
    """What becomes of what was said before (edited_situations.py)."""
    return {
        Case(past, answer, "7", "it comes up" if "candidate" in status else "-"): status_text(
            status["summary"], status["conditions"]
        )
        for (past, answer), status in after_edits().items()
    }
