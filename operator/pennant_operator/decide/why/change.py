"""One thing that somebody may change, and the world with it changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pennant_operator.decide.seen.actions import Act, in_force, parse_actions
from pennant_operator.decide.seen.memory import memory_of
from pennant_operator.decide.seen.observed import Object
from pennant_operator.decide.seen.peoples_word import spec_of, with_pin
from pennant_operator.decide.seen.spec import InvalidSpecError, Watch, watch_of
from pennant_operator.decide.times import format_time
from pennant_operator.decide.why.settling import Moment


class Means(StrEnum):
    """What is done, as a program reads it."""

    WAIT = "Wait"
    GATES = "PassGates"
    APPROVE = "Approve"
    RELEASE = "Release"
    END_HOLD = "EndHold"
    UNSUSPEND = "Unsuspend"
    SCALE = "Scale"
    RETRY = "Retry"
    PROMOTE = "Promote"
    EDIT_SERVING = "EditServing"
    ELSEWHERE = "AnotherVersion"
    REGISTRY_ANSWERS = "RegistryAnswers"
    REGISTRY_ALLOWS = "RegistryAllows"
    RESUME = "Resume"
    TURN = "Turn"
    PODS = "Pods"
    MAKE_ROOM = "MakeRoom"
    CORRECT_SPEC = "CorrectSpec"
    FREE_NAME = "FreeName"


@dataclass(frozen=True)
class Change:
    """What somebody does, how it is typed where it can be, and what the world is then."""

    means: Means
    what: str  # a sentence without its end, in the imperative
    done: Callable[[Moment], Moment]
    commands: tuple[str, ...] = ()


def named(moment: Moment) -> str:
    """The ModelDeployment as a command takes it."""
    meta = moment.seen.owner["metadata"]
    return f"{meta['name']} -n {meta['namespace']}"


def desired_number(moment: Moment) -> str:
    """The version that is desired; empty while nobody knows one."""
    return str(moment.memory.desired.get("version", ""))


def watch_in(moment: Moment) -> Watch | None:
    """What is followed, pinned or not; None while the spec cannot be understood."""
    try:
        return spec_of(moment.seen, moment.now).watch
    except InvalidSpecError:
        word = in_force(moment.seen.actions, moment.now)
        return watch_of(with_pin(moment.seen.owner, word))


def with_spec(moment: Moment, **fields: Any) -> Moment:
    """Somebody changes fields of the spec."""
    owner = moment.seen.owner
    meta = owner["metadata"] | {"generation": memory_of(owner).generation + 1}
    changed: Object = owner | {"metadata": meta, "spec": owner["spec"] | fields}
    return replace(moment, seen=replace(moment.seen, owner=changed))


def with_action(moment: Moment, act: Act, **spec: str) -> Moment:
    """Somebody creates a RolloutAction."""
    meta = moment.seen.owner["metadata"]
    made = {
        "metadata": {
            "name": "imagined",
            "uid": f"imagined-{act}",
            "namespace": meta["namespace"],
            "resourceVersion": "0",
            "creationTimestamp": format_time(moment.now),
        },
        "spec": {"deployment": meta["name"], "action": str(act), **spec},
    }
    actions = (*moment.seen.actions, *parse_actions([made]))
    return replace(moment, seen=replace(moment.seen, actions=actions))
