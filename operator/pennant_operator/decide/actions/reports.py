"""What RolloutActions are told of themselves, and when finished ones are deleted.

Of those about a ModelDeployment by its next status, which is written before. Those whose target is
not there wait for a day: what is applied together comes in any order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from pennant_operator.decide.intent import ActionReport, ActionStatus, Delete
from pennant_operator.decide.seen.actions import (
    KIND,
    LASTING,
    Act,
    InForce,
    RolloutAction,
    State,
    in_force,
)
from pennant_operator.decide.times import format_time

FINISHED_KEPT = timedelta(days=1)  # that a finished RolloutAction is kept for people to read
WAITED_FOR = timedelta(days=1)  # that one waits for what it is about, unless it expires before
MESSAGE_LIMIT = 4096  # characters, as in the CRD

Answer: TypeAlias = tuple[State, str]


@dataclass(frozen=True)
class ActionReports:
    """What is to be written, and in how many seconds to look again; None: on an event."""

    writes: tuple[ActionReport, ...] = ()
    due: float | None = None


def reports_of_deployment(
    actions: Iterable[RolloutAction], name: str, status: dict[str, Any], now: datetime
) -> ActionReports:
    """Of all that are about one ModelDeployment, whose status is this now."""
    actions = tuple(actions)
    word = in_force(actions, now)
    taken = status.get("action") or {}

    def answer(action: RolloutAction) -> Answer:
        if taken.get("uid") == action.uid:
            return State(taken["state"]), taken["message"]
        if action.act is Act.PIN:
            return _answer_to_pin(action, word, name, status)
        if action.act is Act.HOLD:
            return _answer_to_hold(word)
        if action.act is Act.APPROVE:
            what = f"version {action.version}" if action.version else f"revision {action.revision}"
            return State.PENDING, f"{what} is not desired: it is approved once it is"
        why = f"the conditions of ModelDeployment {name} say why nothing is decided now"
        return State.PENDING, f"it waits: {why}"

    return _reports(actions, answer, now, taken=taken.get("uid"), patient=LASTING)


def reports_without_deployment(actions: Iterable[RolloutAction], now: datetime) -> ActionReports:
    """Of those whose ModelDeployment is not there."""

    def answer(action: RolloutAction) -> Answer:
        meta = action.obj["metadata"]
        name = f"{meta['namespace']}/{action.obj['spec'].get('deployment')}"
        return State.PENDING, f"there is no ModelDeployment {name}: it is waited for, for a day"

    return _reports(tuple(actions), answer, now)


def reports_of_registry(
    actions: Iterable[RolloutAction],
    namespace: str,
    now: datetime,
    *,
    exists: bool | None,
    resumed: bool | None = None,
) -> ActionReports:
    """Of those about one ModelRegistry; `exists`: None where nobody can tell yet.

    `resumed`: whether it is recorded that the brake let go; None where it did not hold.
    """

    def answer(action: RolloutAction) -> Answer:
        meta, name = action.obj["metadata"], action.obj["spec"].get("registry")
        if meta["namespace"] != namespace:
            why = f"ModelRegistries are in namespace {namespace}: create it there"
            return State.REFUSED, why
        if exists is None:
            return State.PENDING, "ModelRegistries are not read yet"
        if not exists:
            why = f"there is no ModelRegistry {name} in namespace {namespace}"
            return State.PENDING, f"{why}: it is waited for, for a day"
        if resumed is None:
            return State.DONE, f"nothing of ModelRegistry {name} is held back"
        if not resumed:
            return State.PENDING, f"that the brake of ModelRegistry {name} lets go is written next"
        return State.DONE, f"the brake of ModelRegistry {name} let go"

    return _reports(tuple(actions), answer, now)


def _answer_to_pin(
    action: RolloutAction, word: InForce, name: str, status: dict[str, Any]
) -> Answer:
    if word.pin is not None and word.pin.uid != action.uid:
        newer = f"RolloutAction {word.pin.name} is newer, and pins version {word.pin.version}"
        return State.PENDING, f"{newer}: this one counts when that one ends"
    if (status.get("serving") or {}).get("version") == action.version:
        return State.ACTIVE, f"version {action.version} serves"
    why = f"condition AliasInSync of ModelDeployment {name} says why"
    return State.ACTIVE, f"version {action.version} is wanted, and does not serve yet: {why}"


def _answer_to_hold(word: InForce) -> Answer:
    pinned = f" but version {word.pin.version}, which is pinned" if word.pin else ""
    return State.ACTIVE, f"nothing new is rolled out{pinned}"


def _reports(
    actions: tuple[RolloutAction, ...],
    answer: Callable[[RolloutAction], Answer],
    now: datetime,
    *,
    taken: str | None = None,
    patient: tuple[Act, ...] = (),
) -> ActionReports:
    """`taken`: the uid of one whose effect is written; `patient`: what waits beyond a day."""
    writes: list[ActionReport] = []
    times: list[datetime] = []
    for action in actions:
        if action.finished:
            ends = (action.since or action.created) + FINISHED_KEPT
            writes += [_deletion(action)] if now >= ends else []
            times.append(ends)
            continue
        gives_up = action.act not in patient and action.expires is None
        state, message = answer(action)
        if action.uid != taken:
            state, message = _by_time(action, state, message, now, gives_up=gives_up)
        since = action.since if action.state is state and action.since else now
        if (status := _status(action, state, message, since)) != action.obj.get("status"):
            writes.append(ActionStatus(action.obj, status))
        times += [action.expires] if action.expires else []
        times += [since + WAITED_FOR] if state is State.PENDING and gives_up else []
    if writes:
        return ActionReports(tuple(writes), 0.0)
    left = [(each - now).total_seconds() for each in times if each > now]
    return ActionReports(due=min(left, default=None))


def _by_time(
    action: RolloutAction, state: State, message: str, now: datetime, *, gives_up: bool
) -> Answer:
    """What is said of it, unless its time is over."""
    if action.expires is not None and now >= action.expires:
        over = f"its time was over at {format_time(action.expires)}"
        return State.EXPIRED, over if action.act in LASTING else f"{over}, before it could act"
    waits = state is State.PENDING and action.state is State.PENDING and gives_up
    if waits and action.since is not None and now >= action.since + WAITED_FOR:
        return State.EXPIRED, f"it waited for a day: {message}"
    return state, message


def _status(action: RolloutAction, state: State, message: str, since: datetime) -> dict[str, Any]:
    return {
        "observedGeneration": action.obj["metadata"].get("generation", 1),
        "state": str(state),
        "message": message[:MESSAGE_LIMIT],
        "time": format_time(since),
    }


def _deletion(action: RolloutAction) -> Delete:
    meta = action.obj["metadata"]
    return Delete(KIND, meta["name"], meta["uid"], meta["resourceVersion"])
