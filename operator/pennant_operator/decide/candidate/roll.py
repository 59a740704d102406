"""What ends a roll: crashes and bad answers of a candidate while both slots have traffic.

Its pods are asked how they answered since they have traffic, and those of the other slot how they
answered in the same seconds. It is judged like a bake, and goes back step by step.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.candidate.answers import (
    BASELINE_REQUESTS_MINIMUM,
    FIRST_ANSWERS_SECONDS,
    WARM_UP_SECONDS,
    WINDOW_SECONDS,
    answer_to,
    judges,
    question_about,
    reading,
    tally_of,
    verdict_of,
)
from pennant_operator.decide.candidate.attempts import is_parked
from pennant_operator.decide.candidate.bake import crashed_in_bake
from pennant_operator.decide.seen.answers import ReportQuestion, Reports, Tally
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time, parse_time
from pennant_operator.decide.verdict import Rejected
from pennant_operator.decide.vocabulary import Reason


def rolls_on(step: Step) -> bool:
    """Whether both slots have traffic, and the candidate is to have all of it."""
    world, target = step.world, step.goal.target
    if target is None or not world.on_both or world.idle.revision != target:
        return False
    return not is_parked(step.memory.candidate, target, step.now)


def verdict_in_roll(step: Step) -> Rejected | None:
    """The rejection of a candidate that has a part of the traffic, if it does badly with it."""
    idle = step.world.idle
    if not rolls_on(step) or step.world.service is None:
        return None
    had_traffic = tuple(pod for pod in idle.running if pod.been_ready)
    crash = crashed_in_bake(had_traffic, idle.size, _since(step))
    return Rejected(Reason.CRASHED_IN_BAKE, crash) if crash else _verdict_by_answers(step)


def question_in_roll(step: Step) -> ReportQuestion | None:
    """Whom to ask: the candidate's pods, and beside them those of the other slot."""
    world, target, active = step.world, step.goal.target, step.world.active
    if target is None or world.traffic is None or active is None:
        return None
    if not rolls_on(step) or not judges(step, target):
        return None
    since = _since(step)
    seconds = int((step.now - since).total_seconds()) + FIRST_ANSWERS_SECONDS
    seconds = min(seconds, WINDOW_SECONDS)
    serving = world.traffic.revision
    about = f"{target} since {format_time(since)} beside {serving}"
    question = question_about(step, target, world.idle, about, seconds)
    if question is None:
        return None
    beside = question_about(step, serving, active, about, seconds)
    return replace(question, beside=beside)


def answers_in_roll(step: Step) -> dict[str, Any] | None:
    """The next `status.answers` while both have traffic: how each of them answers."""
    question = question_in_roll(step)
    if question is None:
        return None
    entry, target = step.memory.answers, step.goal.target
    entry = entry if entry.get("revision") == target else {"revision": target}
    reports = answer_to(step, question)
    if reports is None:
        return entry
    differences = entry.get("differences") or reports.answers.differences
    entry = {**entry, "differences": differences} if differences else entry
    if reports.beside is not None and reports.beside.read:
        entry = reading("baseline", entry, reports.beside)
    return reading("serving", entry, reports)


def progress_since(step: Step, since: datetime) -> datetime:
    """When the candidate last came on: each step of a roll has the time of an attempt."""
    ready = (pod.ready_since for pod in step.world.idle.running if pod.ready and pod.ready_since)
    return max((since, *ready)) if rolls_on(step) else since


def _verdict_by_answers(step: Step) -> Rejected | None:
    question = question_in_roll(step)
    reports = answer_to(step, question) if question is not None else None
    if reports is None or not reports.read or step.world.traffic is None:
        return None
    who = f"version {step.version_of(step.world.traffic.revision)}"
    before, limits = _baseline(step, reports), step.world.spec.answers
    return verdict_of(reports.answers.tally, before, limits, who, "beside it")


def _baseline(step: Step, reports: Reports) -> Tally:
    """The other slot's answers, or its last ones; while a pod is cold, none is too slow."""
    beside = reports.beside.answers.tally if reports.beside is not None else Tally()
    entry = step.memory.answers
    if beside.requests < BASELINE_REQUESTS_MINIMUM and entry.get("revision") == step.goal.target:
        beside = tally_of(entry.get("baseline"))
    if beside.requests < BASELINE_REQUESTS_MINIMUM:
        return Tally()
    warm_up = timedelta(seconds=WARM_UP_SECONDS)
    pods = (pod for pod in step.world.idle.running if pod.ready)
    cold = any(pod.ready_since and step.now - pod.ready_since < warm_up for pod in pods)
    return replace(beside, median=None) if cold else beside


def _since(step: Step) -> datetime:
    """When both slots got traffic; just now, where no status says it yet."""
    alongside = step.memory.alongside
    if alongside.get("revision") != step.world.idle.revision:
        return step.now
    return parse_time(alongside["since"])
