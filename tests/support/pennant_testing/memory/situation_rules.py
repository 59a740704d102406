"""Which combinations of a situation's parts can occur."""

from pennant_testing.memory.situation_parts import (
    GOES_BACK,
    KNOWN,
    NO_ANSWER,
    ON_ITS_WAY,
    PINNED,
    STARTS_FROM_7,
    STOPPED,
    UNKNOWN,
    Case,
)


def occurs(case: Case) -> bool:
    """Whether a ModelDeployment can be in it."""
    rules = (_a_registry, _a_candidate, _a_rejection, _a_size, _a_removal, _a_deletion, _a_roll)
    return all(rule(case) for rule in rules)


def _a_registry(case: Case) -> bool:
    """A pinned version is missing or there: MLflow has one answer for it and for its model."""
    return case.spec not in PINNED or case.desired not in {"no such model", "9, no source"}


def _a_candidate(case: Case) -> bool:
    """It is on its way to what is desired, or was when the registry was last heard."""
    goes = case.spec not in STOPPED
    if case.candidate in GOES_BACK and "replicas 0" in case.spec:
        return False  # nothing moves where nothing can be proved
    if case.candidate in ON_ITS_WAY:
        return case.desired in {*KNOWN, *NO_ANSWER} and goes and not serves_8(case)
    if case.candidate == "8 held by gates":  # a version that serves is no new one
        return case.desired in KNOWN and goes and not case.serving.startswith("8")
    if case.candidate == "8 held in the registry":  # so it was before a start, too
        followed = case.spec != "pinned" and case.desired in {*KNOWN, *UNKNOWN}
        return followed and not case.serving.startswith("8")
    if "brake" in case.candidate or "vanished" in case.candidate:
        return _a_brake(case)
    if case.candidate == "8 in line":
        return case.desired in KNOWN and goes and not serves_8(case)
    if case.candidate == "8 is next":
        return case.desired in KNOWN and case.serving.startswith("7") and goes
    if case.candidate == "-" and case.desired in KNOWN:
        # What is desired and not rejected is on its way, unless a person said not to.
        return serves_8(case) or case.spec in STOPPED
    return True


def _a_brake(case: Case) -> bool:
    """It stops a version that has no pods yet, and what is done where the alias vanished."""
    if "vanished" in case.candidate:
        stays = case.candidate == "vanished with others" or case.spec not in STOPPED
        return case.desired in {"nothing", "no such model"} and stays and case.spec not in PINNED
    known = case.desired in KNOWN and case.spec not in STOPPED
    return known and not case.serving.startswith("8")


def _a_rejection(case: Case) -> bool:
    """Before the traffic: it does not serve. In the bake: it does, and goes back if it can."""
    earlier, baking = "earlier" in case.serving, "baking" in case.serving
    if case.candidate == "8 rejected":
        return case.desired in {*KNOWN, *([] if earlier else UNKNOWN)} and not serves_8(case)
    if case.candidate in STARTS_FROM_7:  # the last good one, where nothing has served yet
        asked = case.spec not in {*STOPPED, *PINNED} and case.desired in KNOWN
        return asked and case.serving == "-"
    if case.candidate.startswith("8 crashed"):
        return case.desired in KNOWN and serves_8(case) and not baking
    if case.candidate.startswith("first back"):
        crashed = earlier if case.desired in KNOWN else case.serving.startswith("8")
        return crashed and not baking
    return True


def serves_8(case: Case) -> bool:
    """By the spec of now."""
    return case.serving.startswith("8") and "earlier" not in case.serving


def is_on_both(case: Case) -> bool:
    """Whether two versions have traffic."""
    return " and " in case.serving


def _a_roll(case: Case) -> bool:
    """While both have traffic nothing else bakes, waits for room or for its turn."""
    if not is_on_both(case):
        return True
    others = ("crashed", "first back", "is next", "waits for room", "in line", "vanished")
    return not any(words in case.candidate for words in others)


def _a_deletion(case: Case) -> bool:
    """That what serves was deleted is asked where it serves on, and what is desired waits."""
    if "deleted" not in case.serving:
        return True
    waits = ("-", "8 held", "8 held by gates", "8 held in the registry", "8 rejected")
    return case.desired in {"8", "nothing"} and case.candidate in waits


def _a_size(case: Case) -> bool:
    """At replicas 0 no pod is ready, but for those that have not heard of it yet."""
    steady = case.serving in {
        "-",
        "withdrawn",
        "7",
        "8",
        "7 and 8",
        "8 and 9",
    } or case.serving.endswith("none ready")
    return "replicas 0" not in case.spec or steady


def _a_removal(case: Case) -> bool:
    """With ScaleDown an alias that is removed takes the traffic with it, for good; else nothing."""
    if case.serving == "withdrawn":
        return case.spec not in {"alias", "stage", *PINNED}
    stays = case.serving == "-" or "vanished" in case.candidate
    return (case.spec, case.desired) != ("ScaleDown", "nothing") or stays
